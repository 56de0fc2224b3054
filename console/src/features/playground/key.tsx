import { useMutation, useQuery } from '@tanstack/react-query'
import { useState, useSyncExternalStore } from 'react'
import { meQuery, useForbidden } from '~/lib/queries/auth'
import { createKey } from '~/lib/queries/keys'
import { sessionState, subscribe } from '~/lib/session'
import { Button } from '~/ui/button'
import { Field, Input } from '~/ui/field'
import { toast, toastFailure } from '~/ui/toast'

/** The playground's client key: in memory alone, gone with the tab or the session. */
let current = ''
const listeners = new Set<() => void>()

export function usePlaygroundKey(): string {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => current,
  )
}

function keep(token: string) {
  current = token
  for (const listener of listeners) listener()
}

subscribe(() => {
  if (sessionState() === 'out') keep('')
})

const hour = 3_600_000

/** Makes a key that lasts an hour, or takes one that the user has. */
export function KeyPicker() {
  const token = usePlaygroundKey()
  const [pasted, setPasted] = useState('')
  const { data: me } = useQuery(meQuery)
  const forbidden = useForbidden('keys:own', 'create keys')
  const create = useMutation({
    mutationFn: () =>
      createKey({
        name: `Playground of ${me?.email ?? 'a user'}`,
        tags: ['playground'],
        expires_at: new Date(Date.now() + hour).toISOString(),
      }),
    onSuccess: (key) => {
      keep(key.token)
      toast('Key created', 'It lasts an hour and stays in this tab.')
    },
    onError: (error) => toastFailure('No key was created', error),
  })
  if (token) {
    return (
      <div className="flex items-center justify-between gap-3">
        <p className="min-w-0 text-sm text-ink-2">
          Key <code className="font-mono text-ink">{token.slice(0, 7)}…</code>, in this tab only
        </p>
        <Button size="sm" look="quiet" onClick={() => keep('')}>
          Forget
        </Button>
      </div>
    )
  }
  return (
    <div className="space-y-3">
      <Button
        busy={create.isPending}
        disabledReason={forbidden}
        onClick={() => create.mutate()}
        className="w-full"
      >
        Create a key for an hour
      </Button>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (pasted.trim()) keep(pasted.trim())
          setPasted('')
        }}
      >
        <Field label="Or paste a client key" help="It stays in this tab's memory.">
          {(control) => (
            <div className="flex gap-2">
              <Input
                {...control}
                type="password"
                autoComplete="off"
                value={pasted}
                onChange={(event) => setPasted(event.target.value)}
              />
              <Button type="submit" disabledReason={pasted.trim() ? undefined : 'Paste a key first.'}>
                Use
              </Button>
            </div>
          )}
        </Field>
      </form>
    </div>
  )
}
