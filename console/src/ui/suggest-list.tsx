import { Autocomplete } from '@base-ui/react/autocomplete'
import { useEffect, useRef, useState } from 'react'
import type { ControlProps } from './field'
import { Input } from './field'

export interface SuggestProps {
  control: ControlProps
  value: string
  onChange: (value: string) => void
  items: string[]
  placeholder?: string
  /** What the list says when nothing fits. */
  none?: string
  /** It takes the place of a plain field that has the focus, which came so. */
  taken?: 'by pointer' | 'by keyboard' | undefined
}

/** The field with its list, in a chunk of its own; use Suggest. */
export function SuggestList({
  control,
  value,
  onChange,
  items,
  placeholder,
  none = 'No suggestion fits.',
  taken,
}: SuggestProps) {
  // The whole list shows until something is typed, so that a filled field can still be changed by choice.
  const [typed, setTyped] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  // What was typed into the plain field is not selected: the next key goes on with it.
  const going = useRef(Boolean(taken))
  useEffect(() => {
    if (going.current) input.current?.focus()
    going.current = false
  }, [])
  return (
    <Autocomplete.Root
      items={items}
      value={value}
      openOnInputClick
      defaultOpen={taken === 'by pointer'}
      filter={typed ? undefined : null}
      onOpenChange={(open) => open || setTyped(false)}
      onValueChange={(next, details) => {
        // Escape closes the list; what stands in the field is not its to take.
        if (details.reason === 'escape-key') return
        if (details.reason === 'input-change') setTyped(true)
        onChange(next)
      }}
    >
      <Autocomplete.Input
        {...control}
        placeholder={placeholder}
        spellCheck={false}
        autoComplete="off"
        render={<Input />}
        ref={input}
        onFocus={(event) => going.current || event.currentTarget.select()}
      />
      <Autocomplete.Portal>
        <Autocomplete.Positioner sideOffset={4} className="z-50">
          <Autocomplete.Popup className="w-(--anchor-width) min-w-48 rounded-md border border-line bg-surface shadow-(--lift)">
            <Autocomplete.Empty>
              <div className="px-3 py-2.5 text-sm text-ink-3">{none}</div>
            </Autocomplete.Empty>
            <Autocomplete.List className="max-h-[min(20rem,var(--available-height))] scroll-py-1 overflow-y-auto overscroll-contain p-1 data-empty:hidden">
              {(item: string) => (
                <Autocomplete.Item
                  key={item}
                  value={item}
                  className="cursor-default rounded-sm px-2 py-1.5 wrap-anywhere select-none data-highlighted:bg-hover"
                >
                  {item}
                </Autocomplete.Item>
              )}
            </Autocomplete.List>
          </Autocomplete.Popup>
        </Autocomplete.Positioner>
      </Autocomplete.Portal>
    </Autocomplete.Root>
  )
}
