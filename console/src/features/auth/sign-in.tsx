import { useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, useRouter } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useForm } from 'react-hook-form'
import { showProblem } from '~/lib/form'
import { methodsQuery, setupQuery, signIn } from '~/lib/queries/auth'
import { useSessionState } from '~/lib/session'
import { Button } from '~/ui/button'
import { Field, Input } from '~/ui/field'
import { Notice } from '~/ui/notice'
import { AuthFrame } from './frame'
import { ProviderSignIn, SignInFailure } from './provider-sign-in'

const route = getRouteApi('/sign-in')

export function SignInPage() {
  const { next, error } = route.useSearch()
  const session = useSessionState()
  const setup = useQuery(setupQuery)
  const methods = useQuery(methodsQuery)
  const router = useRouter()
  const queries = useQueryClient()
  const form = useForm({ defaultValues: { email: '', password: '' } })
  const { errors, isSubmitting } = form.formState

  const submit = form.handleSubmit(async (values) => {
    try {
      // Whoever was here before may have seen more than the one who comes.
      queries.clear()
      await signIn(values)
    } catch (error) {
      showProblem(form, error)
    }
  })

  useEffect(() => {
    if (session === 'in') router.history.replace(next ?? '/')
  }, [session, next, router])

  return (
    <AuthFrame title="Sign in" lead="The control room of your AI services.">
      {setup.data?.required && (
        <div className="mb-5">
          <Notice tone="accent" title="Nobody is set up yet">
            Point's terminal shows a one-time set-up link. Open it to make the first account.
          </Notice>
        </div>
      )}
      {error && <SignInFailure code={error} />}
      {methods.data?.oidc && <ProviderSignIn method={methods.data.oidc} next={next} />}
      <form noValidate onSubmit={submit} className="space-y-4">
        <Field label="Email" error={errors.email?.message}>
          {(control) => (
            <Input
              {...control}
              {...form.register('email', { required: 'Give your email address.' })}
              type="email"
              autoComplete="username"
              autoFocus
            />
          )}
        </Field>
        <Field label="Password" error={errors.password?.message}>
          {(control) => (
            <Input
              {...control}
              {...form.register('password', { required: 'Give your password.' })}
              type="password"
              autoComplete="current-password"
            />
          )}
        </Field>
        {errors.root && <Notice tone="bad">{errors.root.message}</Notice>}
        <Button type="submit" look="primary" busy={isSubmitting} className="w-full">
          Sign in
        </Button>
      </form>
      <p className="mt-6 text-sm text-ink-3">
        Password lost? Whoever runs Point can set a new one:{' '}
        <code className="font-mono wrap-anywhere">point user passwd {shellWord(form.watch('email'))}</code>
      </p>
    </AuthFrame>
  )
}

/** An address as a shell takes it; a word in its place until there is one. */
function shellWord(email: string): string {
  const word = email.trim() || 'EMAIL'
  return /^[\w@.+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
