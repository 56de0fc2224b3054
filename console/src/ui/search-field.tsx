import { useEffect, useState } from 'react'
import { Field, Input } from './field'

/** A field to search by. What is typed is handed on, for the URL, once the typing pauses; empty is undefined. */
export function SearchField({
  label,
  value = '',
  placeholder,
  className,
  onChange,
}: {
  label: string
  value: string | undefined
  placeholder?: string
  className?: string
  onChange: (text: string | undefined) => void
}) {
  const [text, setText] = useState(value)
  useEffect(() => setText(value), [value])
  useEffect(() => {
    if (text === value) return
    const timer = setTimeout(() => onChange(text.trim() || undefined), 300)
    return () => clearTimeout(timer)
  }, [text, value, onChange])
  return (
    <Field label={label} className={className}>
      {(control) => (
        <Input
          {...control}
          type="search"
          value={text}
          placeholder={placeholder}
          spellCheck={false}
          onChange={(event) => setText(event.target.value)}
        />
      )}
    </Field>
  )
}
