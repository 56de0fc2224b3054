import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { type KeyboardEvent, useState } from 'react'
import { paths } from '~/lib/paths'
import { useMay } from '~/lib/queries/auth'
import { modelsQuery } from '~/lib/queries/status'
import { Button } from '~/ui/button'
import { Field, Textarea } from '~/ui/field'
import { Card, Empty, Page } from '~/ui/page'
import { Suggest } from '~/ui/suggest'
import { useConversation } from './conversation'
import { KeyPicker, usePlaygroundKey } from './key'
import { Snippets } from './snippets'
import { Turns } from './turns'

const route = getRouteApi('/shell/playground')

export function PlaygroundPage() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const mayModels = useMay('models:read')
  const models = useQuery({ ...modelsQuery, enabled: mayModels })
  const chatModels = (models.data?.data ?? [])
    .filter((model) => model.kind === 'chat')
    .map((model) => model.id)
  const model = search.model ?? chatModels[0] ?? ''
  const [text, setText] = useState('')
  const key = usePlaygroundKey()
  const chat = useConversation()
  const blocked = whyNot({ key, model, text })

  function submit() {
    if (blocked || chat.busy) return
    void chat.send({ key, model, text })
    setText('')
  }
  function onKeyDown(event: KeyboardEvent) {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    submit()
  }

  return (
    <Page
      title="Playground"
      lead="Talk to any model through /v1, just as your apps do."
      actions={
        <Button disabledReason={chat.turns.length === 0 && 'The conversation is empty.'} onClick={chat.clear}>
          New conversation
        </Button>
      }
    >
      <div className="grid items-start gap-5 lg:grid-cols-[1fr_20rem]">
        <div className="min-w-0 space-y-5 max-lg:order-2">
          <Card>
            <div aria-live="polite" aria-busy={chat.busy}>
              {chat.turns.length === 0 ? (
                <Start known={!models.isPending} any={chatModels.length > 0} />
              ) : (
                <Turns turns={chat.turns} />
              )}
            </div>
            <form
              className="mt-6"
              onSubmit={(event) => {
                event.preventDefault()
                submit()
              }}
            >
              <Field label="Message" help="Enter sends, Shift and Enter begins a new line.">
                {(control) => (
                  <Textarea
                    {...control}
                    rows={3}
                    value={text}
                    onChange={(event) => setText(event.target.value)}
                    onKeyDown={onKeyDown}
                  />
                )}
              </Field>
              <div className="mt-3 flex flex-wrap items-center justify-end gap-x-3 gap-y-2">
                {!chat.busy && blocked && <p className="text-sm text-ink-2">{blocked}</p>}
                {chat.busy ? (
                  <Button onClick={chat.stop}>Stop</Button>
                ) : (
                  <Button type="submit" look="primary" disabledReason={blocked}>
                    Send
                  </Button>
                )}
              </div>
            </form>
          </Card>
          <Card title="The same from your code">
            <Snippets
              base={`${location.origin}/v1`}
              model={model || 'MODEL'}
              messages={chat.messages(text.trim() ? text : '')}
            />
          </Card>
        </div>
        <Card title="Settings" className="max-lg:order-1">
          <div className="space-y-5">
            <Field
              label="Model"
              help="A bare name goes where the routing sends it; provider/model goes there."
            >
              {(control) => (
                <Suggest
                  control={control}
                  value={model}
                  items={chatModels}
                  none="Point knows no such model, but will ask for it."
                  onChange={(next) => void navigate({ search: { model: next }, replace: true })}
                />
              )}
            </Field>
            <Field label="System message" optional>
              {(control) => (
                <Textarea
                  {...control}
                  rows={3}
                  value={chat.system}
                  onChange={(event) => chat.setSystem(event.target.value)}
                />
              )}
            </Field>
            <KeyPicker />
          </div>
        </Card>
      </div>
    </Page>
  )
}

/** Why nothing can be sent now, or nothing if it can. */
function whyNot({ key, model, text }: { key: string; model: string; text: string }): string | undefined {
  if (!key) return 'Create or paste a client key first.'
  if (!model.trim()) return 'Choose a model first.'
  if (!text.trim()) return 'Write a message first.'
  return undefined
}

function Start({ known, any }: { known: boolean; any: boolean }) {
  const mayAdd = useMay('providers:write')
  if (known && !any) {
    if (!mayAdd) return <Empty title="No model yet">An owner or admin adds providers, which have some.</Empty>
    return (
      <Empty title="No model yet">
        <Link {...paths.newProvider()} className="link">
          Add a provider
        </Link>{' '}
        to have some.
      </Empty>
    )
  }
  return (
    <Empty title="Nothing said yet">
      The answer appears as it comes, with its cost, its timing and the provider that gave it.
    </Empty>
  )
}
