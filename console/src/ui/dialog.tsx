import { AlertDialog } from '@base-ui/react/alert-dialog'
import { Dialog as Base } from '@base-ui/react/dialog'
import { X } from 'lucide-react'
import type { ReactElement, ReactNode } from 'react'
import { useState } from 'react'
import { Button } from './button'

export const backdrop =
  'fixed inset-0 z-40 bg-scrim transition-opacity duration-150 data-ending-style:opacity-0 data-starting-style:opacity-0'
export const popup =
  'fixed top-1/2 left-1/2 z-40 max-h-[calc(100dvh-2rem)] w-[min(30rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 overflow-y-auto rounded-lg border border-line bg-surface p-5 shadow-(--lift) transition-[opacity,scale] duration-150 data-ending-style:scale-98 data-ending-style:opacity-0 data-starting-style:scale-98 data-starting-style:opacity-0'

/** A dialog that the caller opens and closes. Escape and the cross close it. */
export function Dialog({
  open,
  onClose,
  title,
  lead,
  sticky,
  mayEscape,
  children,
}: {
  open: boolean
  onClose: () => void
  title: string
  lead?: ReactNode
  /** A click outside does not close it: what it shows is not shown again. */
  sticky?: boolean
  /** Asked when Escape is pressed: false keeps it open. */
  mayEscape?: () => boolean
  children: ReactNode
}) {
  return (
    <Base.Root
      open={open}
      onOpenChange={(next, { reason }) => {
        if (next || (reason === 'escape-key' && mayEscape && !mayEscape())) return
        onClose()
      }}
      disablePointerDismissal={Boolean(sticky)}
    >
      <Base.Portal>
        <Base.Backdrop className={backdrop} />
        <Base.Popup className={popup}>
          <div className="mb-4 pr-9">
            <Base.Title className="text-lg font-[620]">{title}</Base.Title>
            {lead && <Base.Description className="mt-1 text-ink-2">{lead}</Base.Description>}
          </div>
          {children}
          {/* Last, so that the focus starts in the content. */}
          <Base.Close
            render={
              <Button
                look="quiet"
                size="sm"
                aria-label="Close"
                className="absolute! top-4 right-4 w-8 px-0!"
              />
            }
          >
            <X />
          </Base.Close>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}

/** A button that asks before it acts. */
export function Confirm({
  trigger,
  title,
  children,
  action,
  onConfirm,
}: {
  trigger: ReactElement
  title: string
  children: ReactNode
  /** The verb of the button that acts: "Delete provider". */
  action: string
  onConfirm: () => Promise<unknown>
}) {
  const [open, setOpen] = useState(false)
  const [busy, setBusy] = useState(false)
  async function act() {
    setBusy(true)
    try {
      await onConfirm()
      setOpen(false)
    } catch {
      // The mutation has told the user; the dialog stays, to try again or leave.
    } finally {
      setBusy(false)
    }
  }
  return (
    <AlertDialog.Root open={open} onOpenChange={setOpen}>
      <AlertDialog.Trigger render={trigger} />
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className={backdrop} />
        <AlertDialog.Popup className={popup}>
          <AlertDialog.Title className="text-lg font-[620]">{title}</AlertDialog.Title>
          <AlertDialog.Description className="mt-2 text-ink-2" render={<div />}>
            {children}
          </AlertDialog.Description>
          <div className="mt-6 flex flex-wrap justify-end gap-2">
            <AlertDialog.Close render={<Button>Cancel</Button>} />
            <Button look="danger" busy={busy} onClick={act}>
              {action}
            </Button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  )
}
