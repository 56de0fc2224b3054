import { Link } from '@tanstack/react-router'
import { buttonClass } from '~/ui/button'
import { Page } from '~/ui/page'

export function NotFound() {
  return (
    <Page title="There is no such page" lead="The link is old or mistyped.">
      <Link to="/" className={buttonClass('primary')}>
        Go to the overview
      </Link>
    </Page>
  )
}
