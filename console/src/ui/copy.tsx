import { Check, Copy } from 'lucide-react'
import { useEffect, useState } from 'react'
import { cx } from '~/lib/cx'
import { IconButton } from './button'
import { toastFailure } from './toast'

/** Copies text and says that it did. */
export function CopyButton({
  text,
  label,
  onCopied,
}: {
  text: string
  label: string
  onCopied?: (() => void) | undefined
}) {
  const [done, setDone] = useState(false)
  useEffect(() => {
    if (!done) return
    const timer = setTimeout(() => setDone(false), 2000)
    return () => clearTimeout(timer)
  }, [done])
  async function copy() {
    try {
      await navigator.clipboard.writeText(text)
      setDone(true)
      onCopied?.()
    } catch {
      toastFailure(
        'Not copied',
        new Error('This browser forbids copying here. Select the text and copy it by hand.'),
      )
    }
  }
  return (
    <IconButton label={done ? 'Copied' : label} size="sm" onClick={copy}>
      {done ? <Check className="text-ok" /> : <Copy />}
    </IconButton>
  )
}

/** Code as it is, with a button beside it that copies it. */
export function CodeBlock({
  code,
  label,
  wrap,
  onCopied,
}: {
  code: string
  label: string
  /** Long words are broken, so that all of it can be seen. */
  wrap?: boolean
  onCopied?: () => void
}) {
  return (
    <div className="flex items-start rounded-md border border-line bg-sunken">
      <section
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard.
        tabIndex={0}
        className="max-h-96 min-w-0 flex-1 overflow-auto rounded-md py-3 pl-4"
      >
        <pre className={cx('font-mono text-sm', wrap && 'break-all whitespace-pre-wrap')}>{code}</pre>
      </section>
      <div className="p-1.5">
        <CopyButton text={code} label={`Copy ${label.toLowerCase()}`} onCopied={onCopied} />
      </div>
    </div>
  )
}
