import { Check, Copy } from 'lucide-react'
import { useEffect, useState } from 'react'
import { IconButton } from './button'
import { toastFailure } from './toast'

/** Copies text and says that it did. */
export function CopyButton({ text, label }: { text: string; label: string }) {
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

/** Code as it is, with a button that copies it. */
export function CodeBlock({ code, label }: { code: string; label: string }) {
  return (
    <div className="group relative rounded-md border border-line bg-sunken">
      <section
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard.
        tabIndex={0}
        className="max-h-96 overflow-auto rounded-md py-3 pr-12 pl-4 max-sm:pt-10"
      >
        <pre className="font-mono text-sm">{code}</pre>
      </section>
      <div className="absolute top-1.5 right-1.5 rounded-md bg-sunken">
        <CopyButton text={code} label={`Copy ${label.toLowerCase()}`} />
      </div>
    </div>
  )
}
