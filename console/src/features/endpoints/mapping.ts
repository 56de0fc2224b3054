import type { components } from '~/lib/api.gen'
import { isRecord } from '~/lib/problem'

type MappingInput = NonNullable<components['schemas']['UpdateEndpoint']['mapping']>

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
