import type { UseFormReturn } from 'react-hook-form'
import type { ProviderField } from '~/lib/schema'
import { Button } from '~/ui/button'
import { Field, Input, Textarea } from '~/ui/field'
import { checkValue, removed } from './config'
import type { ProviderValues } from './form'

interface Props {
  field: ProviderField
  form: UseFormReturn<ProviderValues>
  /** The mask of the secret that is saved. */
  saved: string | undefined
  /** What applies when the field is empty. */
  placeholder: string | undefined
  readOnly: boolean
}

/** One member of a provider's config, by the type that its kind's schema gives it. */
export function ConfigField({ field, form, saved, placeholder, readOnly }: Props) {
  const name = `config.${field.name}` as const
  const error = form.formState.errors.config?.[field.name]?.message
  const rules = {
    validate: (value: string | boolean | undefined) => checkValue(field, value, saved !== undefined),
  }

  if (field.type === 'boolean') {
    return (
      <label className="flex items-start gap-2.5">
        <input
          type="checkbox"
          {...form.register(name)}
          disabled={readOnly}
          className="mt-1 size-4 accent-accent"
        />
        <span>
          <span className="text-sm font-[550]">{field.title}</span>
          <span className="block text-sm text-ink-3">{field.help}</span>
        </span>
      </label>
    )
  }
  if (form.watch(name) === removed) {
    return (
      <Field label={field.title} help="It is removed when you save." error={error}>
        {(control) => (
          <div className="flex gap-2">
            <Input {...control} value="Removed" readOnly />
            <Button onClick={() => form.setValue(name, '', { shouldDirty: true })}>Keep</Button>
          </div>
        )}
      </Field>
    )
  }
  return (
    <Field label={field.title} optional={!field.required} help={helpFor(field)} error={error}>
      {(control) => {
        const common = {
          ...control,
          ...form.register(name, rules),
          placeholder: placeholder ?? '',
          readOnly,
          spellCheck: false,
        }
        if (isMany(field)) return <Textarea {...common} className="font-mono text-sm" rows={3} />
        if (field.type !== 'secret') {
          return (
            <Input
              {...common}
              autoComplete="off"
              inputMode={field.type === 'integer' ? 'numeric' : undefined}
            />
          )
        }
        return (
          <div className="flex gap-2">
            <Input
              {...common}
              type="password"
              autoComplete="off"
              placeholder={saved ? `Saved, ends in ${saved.replace(/^\*+/, '')}` : ''}
            />
            {saved && !readOnly && (
              <Button onClick={() => form.setValue(name, removed, { shouldDirty: true })}>Remove</Button>
            )}
          </div>
        )
      }}
    </Field>
  )
}

function isMany(field: ProviderField): boolean {
  return ['list', 'secrets', 'map', 'secret-map'].includes(field.type)
}

function helpFor(field: ProviderField): string {
  if (field.type === 'list' || field.type === 'secrets') return `${field.help} One a line.`
  if (field.type === 'map' || field.type === 'secret-map') return `${field.help} One "Name: value" a line.`
  return field.help
}
