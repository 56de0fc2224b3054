import type { ComponentProps, ReactNode } from 'react'
import { useId } from 'react'
import { cx } from '~/lib/cx'

/** The attributes that tie a control to its label, help and error. */
export interface ControlProps {
  id: string
  'aria-describedby': string | undefined
  'aria-invalid': true | undefined
}

interface FieldProps {
  label: ReactNode
  help?: ReactNode
  error?: string | undefined
  optional?: boolean
  className?: string
  children: (control: ControlProps) => ReactNode
}

/** A label, a control, its help, and what is wrong with it. */
export function Field({ label, help, error, optional, className, children }: FieldProps) {
  const id = useId()
  const helpId = help ? `${id}-help` : undefined
  const errorId = error ? `${id}-error` : undefined
  return (
    <div className={cx('min-w-0', className)}>
      <label htmlFor={id} className="mb-1.5 block text-sm font-[550]">
        {label}
        {optional && <span className="font-normal text-ink-3"> optional</span>}
      </label>
      {children({
        id,
        'aria-describedby': [errorId, helpId].filter(Boolean).join(' ') || undefined,
        'aria-invalid': error ? true : undefined,
      })}
      {error && (
        <p id={errorId} className="mt-1.5 text-sm text-bad">
          {error}
        </p>
      )}
      {help && (
        <p id={helpId} className="mt-1.5 text-sm text-ink-3">
          {help}
        </p>
      )}
    </div>
  )
}

const control =
  'w-full rounded-md border border-line-strong bg-surface px-3 text-ink transition-colors hover:border-ink-3 aria-invalid:border-bad disabled:bg-sunken disabled:text-ink-3'

// A select always counts as read-only to CSS, so this is for text alone.
const fixed = 'read-only:bg-sunken read-only:text-ink-2'

export function Input({ className, ...rest }: ComponentProps<'input'>) {
  return <input {...rest} className={cx(control, fixed, 'h-9', className)} />
}

export function Textarea({ className, ...rest }: ComponentProps<'textarea'>) {
  return <textarea {...rest} className={cx(control, fixed, 'block min-h-20 resize-y py-2', className)} />
}

/** The browser's own select: it works with every keyboard, reader and thumb. */
export function Select({ className, children, ...rest }: ComponentProps<'select'>) {
  return (
    <select {...rest} className={cx(control, 'select-arrow h-9 appearance-none pr-8', className)}>
      {children}
    </select>
  )
}
