import type { components } from '~/lib/api.gen'
import { cx } from '~/lib/cx'
import { buttonClass } from '~/ui/button'
import { Notice } from '~/ui/notice'

/** The way to the OpenID provider: a link, since its page takes the place of this one. */
export function ProviderSignIn({
  method,
  next,
}: {
  method: components['schemas']['MethodOpenID']
  next?: string | undefined
}) {
  const search = next ? `?${new URLSearchParams({ next })}` : ''
  return (
    <div className="mb-6">
      <a href={`${method.start}${search}`} className={cx(buttonClass(), 'w-full')}>
        Sign in with {method.name}
      </a>
      <p className="mt-6 flex items-center gap-3 text-sm text-ink-3 before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">
        or by password
      </p>
    </div>
  )
}

/** What the codes of the API say, and what to do. */
const failures = new Map([
  ['cancelled', 'You did not sign in there. Try again when you like.'],
  ['expired', 'That sign-in took too long, or began in another window. Begin again.'],
  ['unavailable', 'The sign-in service does not answer. Try again in a moment, or sign in by password.'],
  ['refused', 'What the sign-in service sent was not valid. Tell whoever runs Point: the log says why.'],
  ['email', 'The sign-in service does not vouch for your email address. Verify it there first.'],
  ['taken', 'Another user has your email address here. Sign in by password, or ask an owner.'],
  ['role', 'You are in no group that may use Point. Ask whoever runs it for access.'],
  ['disabled', 'Your user is disabled. Ask an owner to enable it.'],
  ['setup', 'Point has no owner yet. Open the set-up link that its terminal shows first.'],
  ['busy', 'Too many sign-ins failed from your network. Wait 15 minutes.'],
])

/** Why the way through the provider came to nothing. */
export function SignInFailure({ code }: { code: string }) {
  return (
    <div className="mb-5">
      <Notice tone="bad" title="You are not signed in">
        {failures.get(code) ?? 'Something went wrong. Try again; the log of Point has the details.'}
      </Notice>
    </div>
  )
}
