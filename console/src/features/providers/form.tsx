import { ChevronRight } from 'lucide-react'
import type { ReactNode } from 'react'
import { useForm } from 'react-hook-form'
import { showProblem } from '~/lib/form'
import type { Provider, ProviderField, ProviderKind } from '~/lib/schema'
import { Button } from '~/ui/button'
import { Field, Input } from '~/ui/field'
import { LeaveGuard } from '~/ui/leave-guard'
import { Notice } from '~/ui/notice'
import { type ConfigValues, isMain, savedMask, toConfig, toValues } from './config'
import { ConfigField } from './config-field'

export interface ProviderValues {
  name: string
  config: ConfigValues
}

interface Props {
  kind: ProviderKind
  /** The saved provider; none when one is made. */
  provider?: Provider
  /** Suggested for a new one. */
  name?: string
  /** Why nothing can be changed. */
  locked?: string | undefined
  submitLabel: string
  onSubmit: (values: { name: string; config: Provider['config'] }) => Promise<unknown>
  aside?: ReactNode
}

/** The form of a provider, built from its kind's own schema. */
export function ProviderForm({ kind, provider, name, locked, submitLabel, onSubmit, aside }: Props) {
  const config = provider?.config ?? {}
  const form = useForm<ProviderValues>({
    values: { name: provider?.name ?? name ?? '', config: toValues(kind.fields, config) },
    resetOptions: { keepDirtyValues: true },
  })
  const { errors, isSubmitting, isDirty } = form.formState
  const paths = ['name', ...kind.fields.map((field) => `config.${field.name}`)]

  const submit = form.handleSubmit(async (values) => {
    try {
      await onSubmit({ name: values.name.trim(), config: toConfig(kind.fields, values.config) })
      form.reset(values)
    } catch (error) {
      showProblem(form, error, paths)
    }
  })

  const row = (field: ProviderField) => (
    <ConfigField
      key={field.name}
      field={field}
      form={form}
      saved={savedMask(field, config)}
      placeholder={field.name === 'base_url' ? kind.base_url : field.default}
      readOnly={Boolean(locked)}
    />
  )
  const more = kind.fields.filter((field) => !isMain(field))
  const moreIsWrong = more.some((field) => errors.config?.[field.name])
  return (
    <form noValidate onSubmit={submit} className="space-y-5">
      <LeaveGuard dirty={isDirty} what={provider ? provider.name : 'this provider'} />
      <Field
        label="Name"
        error={errors.name?.message}
        help="What requests call it by, as in name/model. Letters, digits, dots, dashes and underscores."
      >
        {(control) => (
          <Input
            {...control}
            {...form.register('name', {
              required: 'Give it a name.',
              pattern: {
                value: /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
                message:
                  'Begin with a letter or digit; then letters, digits, dots, dashes and underscores, 63 at most.',
              },
            })}
            autoComplete="off"
            spellCheck={false}
            readOnly={Boolean(locked)}
          />
        )}
      </Field>
      {kind.fields.filter(isMain).map(row)}
      {more.length > 0 && (
        <details className="group rounded-md border border-line" open={moreIsWrong || undefined}>
          <summary className="flex list-none items-center gap-2 rounded-md px-3.5 py-2.5 font-[550] hover:bg-hover">
            <ChevronRight
              aria-hidden
              className="size-4 text-ink-3 transition-transform group-open:rotate-90"
            />
            More settings
          </summary>
          <div className="space-y-5 border-t border-line p-3.5">{more.map(row)}</div>
        </details>
      )}
      {errors.root && <Notice tone="bad">{errors.root.message}</Notice>}
      <div className="flex flex-wrap items-center gap-2">
        <Button
          type="submit"
          look="primary"
          busy={isSubmitting}
          disabledReason={locked ?? (provider && !isDirty ? 'Nothing was changed.' : undefined)}
        >
          {submitLabel}
        </Button>
        {aside}
      </div>
    </form>
  )
}
