import type { FieldValues, Path, UseFormReturn } from 'react-hook-form'
import { asProblem } from './problem'

/**
 * Shows a failed call in its form: each field that the server names gets its message, and what
 * no field takes becomes the form's own error, errors.root.
 */
export function showProblem<T extends FieldValues>(
  form: UseFormReturn<T>,
  error: unknown,
  names: readonly string[] = Object.keys(form.getValues()),
): void {
  const problem = asProblem(error)
  const left: string[] = []
  let focused = false
  for (const { location, message } of problem.fields) {
    const name = fieldName(location, names)
    if (name === undefined) {
      left.push(location ? `${location}: ${message}` : message)
      continue
    }
    form.setError(name as Path<T>, { type: 'server', message }, { shouldFocus: !focused })
    focused = true
  }
  if (!focused || left.length > 0) {
    form.setError('root', { type: 'server', message: [problem.message, ...left].join(' ') })
  }
}

/** The longest field name that location ends on or leads through: body.config.models[0] is config.models. */
function fieldName(location: string, names: readonly string[]): string | undefined {
  const path = location.replace(/^body\./, '')
  return names
    .filter((name) => path === name || path.startsWith(`${name}.`) || path.startsWith(`${name}[`))
    .sort((a, b) => b.length - a.length)[0]
}
