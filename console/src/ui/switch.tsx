import { Switch as Base } from '@base-ui/react/switch'
import { useId } from 'react'
import { Hint } from './button'

/** A switch with a name. One that does nothing stays reachable, so that its reason can be read. */
export function Switch({
  label,
  checked,
  disabledReason,
  onChange,
}: {
  label: string
  checked: boolean
  /** Why it cannot be switched now. */
  disabledReason?: string | false | undefined
  onChange: (checked: boolean) => void
}) {
  const reasonId = useId()
  const control = (
    <Base.Root
      aria-label={label}
      aria-describedby={disabledReason ? reasonId : undefined}
      aria-disabled={disabledReason ? true : undefined}
      checked={checked}
      onCheckedChange={(next) => disabledReason || onChange(next)}
      className="relative z-10 inline-flex h-5 w-9 shrink-0 items-center rounded-full bg-line-strong p-0.5 transition-colors data-checked:bg-accent aria-disabled:cursor-not-allowed aria-disabled:opacity-55"
    >
      <Base.Thumb className="size-4 rounded-full bg-surface transition-transform data-checked:translate-x-4" />
    </Base.Root>
  )
  if (!disabledReason) return control
  return (
    <>
      <Hint text={disabledReason}>{control}</Hint>
      <span id={reasonId} className="sr-only">
        {disabledReason}
      </span>
    </>
  )
}
