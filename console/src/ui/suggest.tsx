import { lazy, Suspense } from 'react'
import { Input } from './field'
import type { SuggestProps } from './suggest-list'

const SuggestList = lazy(() => import('./suggest-list').then((module) => ({ default: module.SuggestList })))

/** A text field that suggests; any other text is good too. Until its list is loaded it is a plain field. */
export function Suggest(props: SuggestProps) {
  const { control, value, onChange, placeholder } = props
  const plain = (
    <Input
      {...control}
      value={value}
      placeholder={placeholder}
      spellCheck={false}
      onChange={(event) => onChange(event.target.value)}
    />
  )
  return (
    <Suspense fallback={plain}>
      <SuggestList {...props} />
    </Suspense>
  )
}
