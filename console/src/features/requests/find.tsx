import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { paths } from '~/lib/paths'
import { asProblem } from '~/lib/problem'
import { requestQuery } from '~/lib/queries/requests'
import { Button } from '~/ui/button'
import { Field, Input } from '~/ui/field'

/** Opens the request of an id, as the x-request-id of its answer and of its error told it. */
export function FindRequest() {
  const queries = useQueryClient()
  const navigate = useNavigate()
  const [text, setText] = useState('')
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState<string>()
  const id = idOf(text)

  async function open() {
    setBusy(true)
    setFault(undefined)
    try {
      await queries.fetchQuery(requestQuery(id))
      await navigate(paths.request(id))
    } catch (error) {
      const { status, message } = asProblem(error)
      setFault(status === 404 || status === 422 ? 'No request has this id.' : message)
    } finally {
      setBusy(false)
    }
  }

  return (
    <form
      className="w-full sm:max-w-lg"
      onSubmit={(event) => {
        event.preventDefault()
        if (id && !busy) void open()
      }}
    >
      <Field label="Request id" error={fault} help="The x-request-id of an answer.">
        {(control) => (
          <div className="flex gap-2">
            <Input
              {...control}
              className="min-w-0 font-mono text-sm"
              autoComplete="off"
              spellCheck={false}
              value={text}
              onChange={(event) => {
                setText(event.target.value)
                setFault(undefined)
              }}
            />
            <Button type="submit" busy={busy} disabledReason={id ? undefined : 'Paste an id first.'}>
              Open
            </Button>
          </div>
        )}
      </Field>
    </form>
  )
}

/** The id of what was pasted, which may be the whole header, or in quotes. */
function idOf(text: string): string {
  return text
    .trim()
    .replace(/^x-request-id\s*:\s*/i, '')
    .replaceAll(/^["']|["']$/g, '')
}
