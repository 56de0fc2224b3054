import { Tooltip } from '@base-ui/react/tooltip'
import type { ComponentProps, ReactElement, ReactNode } from 'react'
import { useId } from 'react'
import { cx } from '~/lib/cx'

type Look = 'primary' | 'secondary' | 'quiet' | 'danger'

const looks: Record<Look, string> = {
  primary: 'bg-accent text-on-accent hover:bg-accent-hover aria-disabled:hover:bg-accent',
  secondary: 'border border-line-strong bg-surface text-ink hover:bg-hover aria-disabled:hover:bg-surface',
  quiet: 'text-ink-2 hover:bg-hover hover:text-ink aria-disabled:hover:bg-transparent',
  danger: 'border border-line-strong bg-surface text-bad hover:border-bad hover:bg-bad-soft',
}

/** The classes of a button, for links that look like one. */
export function buttonClass(look: Look = 'secondary', size: 'md' | 'sm' = 'md'): string {
  return cx(
    'inline-flex shrink-0 items-center justify-center gap-2 rounded-md font-[550] whitespace-nowrap transition-colors select-none',
    'aria-disabled:cursor-not-allowed aria-disabled:opacity-55 [&_svg]:size-4 [&_svg]:shrink-0',
    size === 'md' ? 'h-9 px-3.5 text-base' : 'h-8 px-2.5 text-sm',
    looks[look],
  )
}

export interface ButtonProps extends Omit<ComponentProps<'button'>, 'disabled'> {
  look?: Look
  size?: 'md' | 'sm'
  /** Work is under way: the button stays, says so, and does nothing more. */
  busy?: boolean
  /** Why the button does nothing now. It stays reachable, so that the reason can be read. */
  disabledReason?: string | false | undefined
}

export function Button({
  look,
  size,
  busy,
  disabledReason,
  className,
  onClick,
  children,
  ...rest
}: ButtonProps) {
  const reasonId = useId()
  const off = Boolean(busy || disabledReason)
  const button = (
    <button
      type="button"
      {...rest}
      aria-disabled={off || undefined}
      aria-busy={busy || undefined}
      aria-describedby={disabledReason ? reasonId : rest['aria-describedby']}
      className={cx(buttonClass(look, size), className)}
      onClick={(event) => (off ? event.preventDefault() : onClick?.(event))}
    >
      {busy && <Spinner />}
      {children}
    </button>
  )
  if (!disabledReason) return button
  return (
    <>
      <Hint text={disabledReason}>{button}</Hint>
      <span id={reasonId} className="sr-only">
        {disabledReason}
      </span>
    </>
  )
}

/** A button that shows an icon alone; its label is its name and its hint. */
export function IconButton({
  label,
  children,
  ...rest
}: ButtonProps & { label: string; children?: ReactNode }) {
  const button = (
    <Button look="quiet" {...rest} aria-label={label} className={cx('w-9 px-0!', rest.className)}>
      {children}
    </Button>
  )
  return rest.disabledReason ? button : <Hint text={label}>{button}</Hint>
}

/** Shows text near its child on hover and focus. */
export function Hint({ text, children }: { text: string; children: ReactElement<Record<string, unknown>> }) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger render={children} delay={250} />
      <Tooltip.Portal>
        <Tooltip.Positioner sideOffset={6} collisionPadding={8} className="z-50">
          <Tooltip.Popup className="max-w-64 rounded-md bg-ink px-2.5 py-1.5 text-sm text-page">
            {text}
          </Tooltip.Popup>
        </Tooltip.Positioner>
      </Tooltip.Portal>
    </Tooltip.Root>
  )
}

function Spinner() {
  return (
    <span
      aria-hidden
      className="size-3.5 shrink-0 animate-spin rounded-full border-2 border-current border-r-transparent"
    />
  )
}
