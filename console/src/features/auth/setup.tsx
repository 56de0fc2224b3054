import { useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { useForm } from 'react-hook-form'
import { showProblem } from '~/lib/form'
import { paths } from '~/lib/paths'
import { setUp, setupQuery } from '~/lib/queries/auth'
import { Button, buttonClass } from '~/ui/button'
import { Field, Input } from '~/ui/field'
import { Failure, Notice } from '~/ui/notice'
import { Skeleton } from '~/ui/page'
import { AuthFrame } from './frame'

const route = getRouteApi('/setup')

export function SetupPage() {
  const setup = useQuery(setupQuery)
  if (setup.isPending) {
    return (
      <AuthFrame title="Welcome to Point" lead="Asking whether it is set up already.">
        <Skeleton className="h-48" />
      </AuthFrame>
    )
  }
  if (setup.isError) {
    return (
      <AuthFrame title="Welcome to Point" lead="">
        <Failure error={setup.error} retry={() => void setup.refetch()} />
      </AuthFrame>
    )
  }
  if (!setup.data.required) {
    return (
      <AuthFrame title="Already set up" lead="This Point has its first account. Sign in with it.">
        <Link {...paths.signIn()} className={buttonClass('primary')}>
          Go to sign-in
        </Link>
      </AuthFrame>
    )
  }
  return <SetupForm />
}

function SetupForm() {
  const linkToken = useLinkToken()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const form = useForm({ defaultValues: { token: linkToken, email: '', password: '', repeat: '' } })
  const { errors, isSubmitting } = form.formState

  const submit = form.handleSubmit(async ({ token, email, password }) => {
    try {
      await setUp({ token: token.trim(), email, password })
      queries.removeQueries({ queryKey: setupQuery.queryKey })
      await navigate(paths.overview())
    } catch (error) {
      showProblem(form, error)
    }
  })

  return (
    <AuthFrame
      title="Welcome to Point"
      lead="Make the first account. It is the owner, and may do everything."
    >
      <form noValidate onSubmit={submit} className="space-y-4">
        {(!linkToken || errors.token) && (
          <Field
            label="Set-up token"
            error={errors.token?.message}
            help="The end of the set-up link in Point's terminal. It lasts 15 minutes; a restart makes a new one."
          >
            {(control) => (
              <Input
                {...control}
                {...form.register('token', { required: 'Open the set-up link, or paste its token here.' })}
                autoComplete="off"
                spellCheck={false}
                className="font-mono"
                autoFocus={!linkToken}
              />
            )}
          </Field>
        )}
        <Field label="Email" error={errors.email?.message}>
          {(control) => (
            <Input
              {...control}
              {...form.register('email', {
                required: 'Give your email address.',
                pattern: { value: /^\S+@\S+$/, message: 'This is not an email address.' },
              })}
              type="email"
              autoComplete="username"
              autoFocus={Boolean(linkToken)}
            />
          )}
        </Field>
        <Field
          label="Password"
          error={errors.password?.message}
          help="At least 12 characters. Long is good; nothing else is asked."
        >
          {(control) => (
            <Input
              {...control}
              {...form.register('password', {
                minLength: { value: 12, message: 'Use at least 12 characters.' },
                required: 'Choose a password.',
              })}
              type="password"
              autoComplete="new-password"
            />
          )}
        </Field>
        <Field label="Password again" error={errors.repeat?.message}>
          {(control) => (
            <Input
              {...control}
              {...form.register('repeat', {
                validate: (value, all) => value === all.password || 'The two passwords differ.',
              })}
              type="password"
              autoComplete="new-password"
            />
          )}
        </Field>
        {errors.root && <Notice tone="bad">{errors.root.message}</Notice>}
        <Button type="submit" look="primary" busy={isSubmitting} className="w-full">
          Create the owner's account
        </Button>
      </form>
    </AuthFrame>
  )
}

/** The token of the link, from its query or its fragment; it is taken out of the address bar and the history. */
function useLinkToken(): string {
  const { token } = route.useSearch()
  const navigate = useNavigate()
  const [kept] = useState(
    () =>
      token ??
      new URLSearchParams(location.hash.replace(/^#(?!token=)/, '#token=').slice(1)).get('token') ??
      '',
  )
  useEffect(() => {
    if (token || location.hash) void navigate({ ...paths.setUp(), hash: '', replace: true })
  }, [token, navigate])
  return kept
}
