import { AlertDialog } from '@base-ui/react/alert-dialog'
import { useBlocker } from '@tanstack/react-router'
import { Button } from './button'
import { backdrop, popup } from './dialog'

/** Asks before a page with unsaved changes is left, within the console or by closing the tab. */
export function LeaveGuard({ dirty, what }: { dirty: boolean; what: string }) {
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: () => dirty,
    enableBeforeUnload: () => dirty,
    withResolver: true,
  })
  return (
    <AlertDialog.Root open={status === 'blocked'} onOpenChange={(open) => open || reset?.()}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className={backdrop} />
        <AlertDialog.Popup className={popup}>
          <AlertDialog.Title className="text-lg font-[620]">Leave without saving?</AlertDialog.Title>
          <AlertDialog.Description className="mt-2 text-ink-2">
            What you changed of {what} is not saved, and would be lost.
          </AlertDialog.Description>
          <div className="mt-6 flex flex-wrap justify-end gap-2">
            <AlertDialog.Close render={<Button>Stay</Button>} />
            <Button look="danger" onClick={() => proceed?.()}>
              Leave
            </Button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  )
}
