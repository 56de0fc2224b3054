import type { components } from '~/lib/api.gen'
import { isRecord } from '~/lib/problem'

type Mapping = components['schemas']['Mapping']
type MappingInput = NonNullable<components['schemas']['UpdateEndpoint']['mapping']>

/**
 * The text that the editor begins with. What this version of Point does not do yet is left out
 * where it is off, so that nobody is led to it; the server takes what is absent as its default.
 */
export function mappingText({ cache, batch, continue_broken_streams: broken, ...rest }: Mapping): string {
  const { hedge_after_ms: hedge, ...retry } = rest.retry
  const shown = {
    ...rest,
    retry: hedge == null ? retry : rest.retry,
    ...(cache.mode === 'off' ? {} : { cache }),
    ...(batch.enabled ? { batch } : {}),
    ...(broken ? { continue_broken_streams: broken } : {}),
  }
  return JSON.stringify(shown, null, 2)
}

/** Reads the editor's text. What the JSON means is for the server to judge. */
export function parseMapping(text: string): { value?: MappingInput; error?: string } {
  try {
    const value: unknown = JSON.parse(text)
    if (!isRecord(value)) return { error: 'A mapping is a JSON object, in braces.' }
    return { value: value as MappingInput }
  } catch (error) {
    return { error: `This is not JSON yet. ${error instanceof Error ? error.message : ''}`.trim() }
  }
}
