import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router'
import { paths } from '~/lib/paths'
import { asProblem } from '~/lib/problem'
import { Button, buttonClass } from '~/ui/button'
import { Failure } from '~/ui/notice'
import { Page } from '~/ui/page'

/** Stands in for a page that could not be shown, and says what to do. */
export function RouteFailure({ error, reset }: ErrorComponentProps) {
  const router = useRouter()
  const problem = asProblem(error)
  function retry() {
    reset()
    void router.invalidate()
  }
  if (isOldBuild(error)) {
    return (
      <Page title="Point was updated" lead="This tab runs an older console whose pages are gone.">
        <Button look="primary" onClick={() => location.reload()}>
          Reload
        </Button>
      </Page>
    )
  }
  if (problem.status === 404) {
    return (
      <Page title="Not found" lead={problem.message}>
        <Link {...paths.overview()} className={buttonClass('primary')}>
          Go to the overview
        </Link>
      </Page>
    )
  }
  return (
    <Page title="This page failed">
      <Failure error={error} retry={retry} />
      <p className="mt-4 text-ink-2">
        If it goes on, look at Point's log, and at{' '}
        <a href="/healthz" className="link">
          its health
        </a>
        .
      </p>
    </Page>
  )
}

/** True if a page's code could not be loaded: another build took its place. */
function isOldBuild(error: unknown): boolean {
  return error instanceof TypeError && /dynamically imported module|module script/i.test(error.message)
}
