import type { UseFormReturn } from 'react-hook-form'
import type { ProviderField } from '~/lib/schema'
import { Button } from '~/ui/button'
import { Field, Input, Select, Textarea } from '~/ui/field'
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
    validate: (value: string | undefined) => checkValue(field, value, saved !== undefined),
  }

  if (field.type === 'boolean') {
    return (
      <Field label={field.title} help={field.help} error={error}>
        {(control) => (
          <Select {...control} {...form.register(name)} disabled={readOnly}>
            <option value="">{field.default ? `Default, ${field.default}` : 'Default'}</option>
            <option value="true">On</option>
            <option value="false">Off</option>
          </Select>
        )}
      </Field>
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
            <Input {...common} type="password" autoComplete="off" placeholder={savedWords(saved)} />
            {saved && !readOnly && (
              <Button onClick={() => form.setValue(name, removed, { shouldDirty: true })}>Remove</Button>
            )}
          </div>
        )
      }}
    </Field>
  )
}

/** A short secret shows nothing of itself: its mask is stars alone. */
function savedWords(mask: string | undefined): string {
  if (!mask) return ''
  const end = mask.replace(/^\*+/, '')
  return end ? `Saved, ends in ${end}` : 'Saved'
}

function isMany(field: ProviderField): boolean {
  return ['list', 'secrets', 'map', 'secret-map'].includes(field.type)
}

function helpFor(field: ProviderField): string {
  if (field.type === 'list' || field.type === 'secrets') return `${field.help} One a line.`
  if (field.type === 'map' || field.type === 'secret-map') return `${field.help} One "Name: value" a line.`
  return field.help
}
