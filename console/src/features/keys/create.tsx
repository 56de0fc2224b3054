import { useQueryClient } from '@tanstack/react-query'
import { ChevronRight } from 'lucide-react'
import { useState } from 'react'
import { useForm } from 'react-hook-form'
import { showProblem } from '~/lib/form'
import { useMay } from '~/lib/queries/auth'
import { createKey, keyKeys } from '~/lib/queries/keys'
import { curlExample } from '~/lib/snippets'
import { Button } from '~/ui/button'
import { CodeBlock } from '~/ui/copy'
import { Dialog } from '~/ui/dialog'
import { Field, Input, Select, Textarea } from '~/ui/field'
import { Notice } from '~/ui/notice'
import { checkLimit, limitFields, noValues, toCreateKey } from './limits'

const paths = ['name', 'models', 'expires', ...limitFields.map((field) => `limits.${field.name}`)]

/** Makes a key, then shows its token, which nothing will show again. */
export function CreateKeyDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [token, setToken] = useState('')
  const [copied, setCopied] = useState(false)
  const [warned, setWarned] = useState(false)
  function close() {
    setToken('')
    setCopied(false)
    setWarned(false)
    onClose()
  }
  /** A key that nobody copied asks once more. */
  function mayEscape(): boolean {
    if (!token || copied || warned) return true
    setWarned(true)
    return false
  }
  return (
    <Dialog
      open={open}
      onClose={close}
      sticky={token !== ''}
      mayEscape={mayEscape}
      title={token ? 'Copy the key now' : 'Create a client key'}
      lead={
        token
          ? 'Point keeps only a fingerprint of it and cannot show it again.'
          : 'Apps send it as their API key.'
      }
    >
      {token ? (
        <Created token={token} warned={warned && !copied} onCopied={() => setCopied(true)} onDone={close} />
      ) : (
        <CreateForm onCreated={setToken} onCancel={close} />
      )}
    </Dialog>
  )
}

function CreateForm({ onCreated, onCancel }: { onCreated: (token: string) => void; onCancel: () => void }) {
  const queries = useQueryClient()
  const form = useForm({ defaultValues: noValues })
  const { errors, isSubmitting } = form.formState
  const mayLimit = useMay('keys:write')
  const submit = form.handleSubmit(async (values) => {
    try {
      const key = await createKey(toCreateKey(values))
      await queries.invalidateQueries({ queryKey: keyKeys })
      onCreated(key.token)
    } catch (error) {
      showProblem(form, error, paths)
    }
  })
  return (
    <form noValidate onSubmit={submit} className="space-y-4">
      <Field label="Name" error={errors.name?.message} help="Who or what uses it.">
        {(control) => (
          <Input
            {...control}
            {...form.register('name', { required: 'Give it a name.' })}
            autoComplete="off"
          />
        )}
      </Field>
      <Field label="Expires" error={errors.expires?.message}>
        {(control) => (
          <Select {...control} {...form.register('expires')}>
            <option value="">Never</option>
            <option value="1">In a day</option>
            <option value="7">In a week</option>
            <option value="30">In 30 days</option>
            <option value="90">In 90 days</option>
            <option value="365">In a year</option>
          </Select>
        )}
      </Field>
      <details
        className="group rounded-md border border-line"
        open={Boolean(errors.limits ?? errors.models) || undefined}
      >
        <summary className="flex list-none items-center gap-2 rounded-md px-3.5 py-2.5 font-[550] hover:bg-hover">
          <ChevronRight aria-hidden className="size-4 text-ink-3 transition-transform group-open:rotate-90" />
          {mayLimit ? 'Limits' : 'Models'}
        </summary>
        <div className="grid gap-4 border-t border-line p-3.5 sm:grid-cols-2">
          <p className="text-sm text-ink-2 sm:col-span-2">
            {mayLimit
              ? 'A request beyond one of them is refused. Days and months are those of UTC.'
              : 'Limits are set by those who have the permission keys:write.'}
          </p>
          {(mayLimit ? limitFields : []).map(({ name, label, usd }) => (
            <Field key={name} label={label} error={errors.limits?.[name]?.message}>
              {(control) => (
                <Input
                  {...control}
                  {...form.register(`limits.${name}`, { validate: (value) => checkLimit(value, usd) })}
                  inputMode={usd ? 'decimal' : 'numeric'}
                  placeholder="None"
                />
              )}
            </Field>
          ))}
          <Field
            label="Models"
            className="sm:col-span-2"
            error={errors.models?.message}
            help="One a line; * stands for anything. Empty: all models."
          >
            {(control) => (
              <Textarea
                {...control}
                {...form.register('models')}
                rows={2}
                spellCheck={false}
                className="min-h-16! font-mono text-sm"
              />
            )}
          </Field>
        </div>
      </details>
      {errors.root && <Notice tone="bad">{errors.root.message}</Notice>}
      <div className="flex justify-end gap-2 pt-1">
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" look="primary" busy={isSubmitting}>
          Create key
        </Button>
      </div>
    </form>
  )
}

function Created({
  token,
  warned,
  onCopied,
  onDone,
}: {
  token: string
  warned: boolean
  onCopied: () => void
  onDone: () => void
}) {
  return (
    <div className="space-y-4">
      <CodeBlock label="Client key" code={token} wrap onCopied={onCopied} />
      {warned && (
        <div role="alert">
          <Notice tone="warn" title="The key is not copied yet">
            Nothing shows it again. Press Escape once more to close all the same.
          </Notice>
        </div>
      )}
      <details>
        <summary className="w-fit rounded-sm text-sm text-ink-2 hover:text-ink">How to use it</summary>
        <div className="mt-2">
          <CodeBlock
            label="Request with curl"
            code={`export POINT_KEY=${token}\n\n${curlExample({ base: `${location.origin}/v1`, model: 'gpt-4o-mini' })}`}
          />
        </div>
      </details>
      <div className="flex justify-end">
        <Button look="primary" onClick={onDone}>
          I have copied it
        </Button>
      </div>
    </div>
  )
}
