import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { requestKeys } from './queries/requests'
import { accessToken, refresh } from './session'
import { readEvents } from './sse'

/** "live": told as it happens; "polling": asked every few seconds, since there is no stream. */
export type LiveState = 'off' | 'connecting' | 'live' | 'polling'

const pause = 1000
const poll = 5000

/**
 * Keeps everything about requests fresh while it is enabled: the server tells when one
 * settles, and lists and counts are read again at most once a second.
 */
export function useLiveRequests(enabled: boolean): LiveState {
  const queries = useQueryClient()
  const [state, setState] = useState<LiveState>('off')
  useEffect(() => {
    if (!enabled) {
      setState('off')
      return
    }
    const abort = new AbortController()
    const renew = throttle(() => {
      // A tab that nobody sees asks for nothing; it catches up when it is looked at again.
      const refetchType = document.hidden ? 'none' : 'active'
      for (const part of ['list', 'stats'])
        void queries.invalidateQueries({ queryKey: [...requestKeys, part], refetchType })
    }, pause)
    void follow(abort.signal, renew.call, setState)
    return () => {
      abort.abort()
      renew.cancel()
    }
  }, [enabled, queries])
  return state
}

/** Reads the event stream, again after it broke, until the signal says stop. */
async function follow(signal: AbortSignal, onEvent: () => void, setState: (state: LiveState) => void) {
  setState('connecting')
  while (!signal.aborted) {
    try {
      const body = await open(signal)
      setState('live')
      onEvent()
      for await (const _ of readEvents(body)) onEvent()
    } catch {
      if (signal.aborted) return
      setState('polling')
      onEvent()
    }
    await wait(poll, signal)
  }
}

async function open(signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const ask = () => fetch('/api/events', { headers: { authorization: `Bearer ${accessToken()}` }, signal })
  let response = await ask()
  if (response.status === 401 && (await refresh())) response = await ask()
  if (!response.ok || !response.body) throw new Error(`events answered ${response.status}`)
  return response.body
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** Calls at once, then at most every ms; a call in between is made up for at its end. */
function throttle(act: () => void, ms: number): { call: () => void; cancel: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined
  let again = false
  const run = () => {
    if (timer !== undefined) {
      again = true
      return
    }
    act()
    timer = setTimeout(() => {
      timer = undefined
      if (again) {
        again = false
        run()
      }
    }, ms)
  }
  return { call: run, cancel: () => clearTimeout(timer) }
}
