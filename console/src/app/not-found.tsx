import { Link } from '@tanstack/react-router'
import { paths } from '~/lib/paths'
import { buttonClass } from '~/ui/button'
import { Page } from '~/ui/page'

export function NotFound() {
  return (
    <Page title="There is no such page" lead="The link is old or mistyped.">
      <Link {...paths.overview()} className={buttonClass('primary')}>
        Go to the overview
      </Link>
    </Page>
  )
}
