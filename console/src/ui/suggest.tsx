import { type ComponentType, type RefObject, useRef, useState } from 'react'
import { Input } from './field'
import type { SuggestProps } from './suggest-list'

/** The field with its list, once it is loaded; every field shares it. */
let loaded: ComponentType<SuggestProps> | undefined

/**
 * A text field that suggests; any other text is good too. Its list is loaded when somebody comes
 * near: until then it is a plain field, whose place the other takes without a key stroke lost.
 */
export function Suggest(props: Omit<SuggestProps, 'taken'>) {
  const { control, value, onChange, placeholder } = props
  const [List, setList] = useState(() => loaded)
  const [taken, setTaken] = useState<SuggestProps['taken']>()
  const plain = useRef<HTMLInputElement>(null)
  const pressed = useRef(false)
  async function load() {
    const { SuggestList } = await import('./suggest-list')
    loaded = SuggestList
    if (isFocused(plain)) setTaken(pressed.current ? 'by pointer' : 'by keyboard')
    setList(() => SuggestList)
  }
  if (List) return <List {...props} taken={taken} />
  return (
    <Input
      {...control}
      ref={plain}
      value={value}
      placeholder={placeholder}
      spellCheck={false}
      autoComplete="off"
      onChange={(event) => onChange(event.target.value)}
      onPointerEnter={() => void load()}
      onPointerDown={() => {
        pressed.current = true
      }}
      onFocus={() => void load()}
    />
  )
}

function isFocused(input: RefObject<HTMLInputElement | null>): boolean {
  return input.current !== null && input.current === document.activeElement
}
