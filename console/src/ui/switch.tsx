import { Switch as Base } from '@base-ui/react/switch'

/** A switch with a name. When it cannot be used, give the reason as its hint beside it. */
export function Switch({
  label,
  checked,
  disabled,
  onChange,
}: {
  label: string
  checked: boolean
  disabled?: boolean
  onChange: (checked: boolean) => void
}) {
  return (
    <Base.Root
      aria-label={label}
      checked={checked}
      disabled={disabled}
      onCheckedChange={onChange}
      className="relative z-10 inline-flex h-5 w-9 shrink-0 items-center rounded-full bg-line-strong p-0.5 transition-colors data-checked:bg-accent data-disabled:cursor-not-allowed data-disabled:opacity-55"
    >
      <Base.Thumb className="size-4 rounded-full bg-surface transition-transform data-checked:translate-x-4" />
    </Base.Root>
  )
}
