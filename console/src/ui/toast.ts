import { asProblem } from '~/lib/problem'

/** Says that something worked. */
export function toast(title: string, description?: string): void {
  void add({ title, description, type: 'ok' })
}

/** Says what failed, in the server's words; it stays until it is read. */
export function toastFailure(what: string, error: unknown): void {
  void add({ title: what, description: asProblem(error).message, type: 'bad', timeout: 0, priority: 'high' })
}

interface ToastOptions {
  title: string
  description: string | undefined
  type: 'ok' | 'bad'
  timeout?: number
  priority?: 'high'
}

/** The toasts come in a chunk of their own: nobody needs them at once. */
async function add(options: ToastOptions): Promise<void> {
  const { manager } = await import('./toasts')
  manager.add(options)
}
