import { Toast } from '@base-ui/react/toast'
import { X } from 'lucide-react'
import { useEffect } from 'react'
import { cx } from '~/lib/cx'
import { IconButton } from './button'
import { onToasts, takeToasts } from './toast'

const manager = Toast.createToastManager()

/** Shows what ui/toast.ts says. */
export function Toasts() {
  useEffect(() => {
    const show = () => {
      for (const options of takeToasts()) manager.add(options)
    }
    show()
    return onToasts(show)
  }, [])
  return (
    <Toast.Provider toastManager={manager} timeout={5000}>
      <Toast.Portal>
        <Toast.Viewport className="fixed right-4 bottom-4 z-50 flex w-[min(24rem,calc(100vw-2rem))] flex-col gap-2">
          <ToastList />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  )
}

function ToastList() {
  const { toasts } = Toast.useToastManager()
  return toasts.map((item) => (
    <Toast.Root
      key={item.id}
      toast={item}
      aria-hidden={false}
      swipeDirection={['right', 'down']}
      className="flex items-start gap-3 rounded-lg border border-line bg-surface py-2.5 pr-2 pl-4 shadow-(--lift) transition-[opacity,translate] duration-200 data-ending-style:opacity-0 data-starting-style:translate-y-2 data-starting-style:opacity-0"
    >
      <span
        aria-hidden
        className={cx('mt-2 size-2 shrink-0 rounded-full', item.type === 'bad' ? 'bg-bad' : 'bg-ok')}
      />
      <Toast.Content className="min-w-0 flex-1 py-0.5">
        <Toast.Title className="font-[620]" render={<p />} />
        <Toast.Description className="text-ink-2" />
      </Toast.Content>
      {/* Nothing here is stacked away, so nothing is hidden from readers. */}
      <Toast.Close aria-hidden={false} render={<IconButton label="Dismiss" size="sm" />}>
        <X />
      </Toast.Close>
    </Toast.Root>
  ))
}
