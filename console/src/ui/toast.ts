import { asProblem } from '~/lib/problem'

export interface ToastOptions {
  title: string
  description: string | undefined
  type: 'ok' | 'bad'
  timeout?: number
  priority?: 'high'
}

/** Says that something worked. */
export function toast(title: string, description?: string): void {
  add({ title, description, type: 'ok' })
}

/** Says what failed, in the server's words; it stays until it is read. */
export function toastFailure(what: string, error: unknown): void {
  add({ title: what, description: asProblem(error).message, type: 'bad', timeout: 0, priority: 'high' })
}

/**
 * Toasts are shown by a chunk of its own, which is loaded for the first of them: they wait here
 * until somebody takes them.
 */
let waiting: readonly ToastOptions[] = []
const listeners = new Set<() => void>()

export function waitingToasts(): readonly ToastOptions[] {
  return waiting
}

/** Calls listener when there are more, or none any more; the result ends that. */
export function onToasts(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Hands over what waits. */
export function takeToasts(): readonly ToastOptions[] {
  const taken = waiting
  if (taken.length > 0) set([])
  return taken
}

function add(options: ToastOptions): void {
  set([...waiting, options])
}

function set(next: readonly ToastOptions[]): void {
  waiting = next
  for (const listener of listeners) listener()
}
