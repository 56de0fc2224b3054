import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { paths } from '~/lib/paths'
import { meQuery } from '~/lib/queries/auth'
import { buttonClass } from '~/ui/button'
import { Page } from '~/ui/page'

/** Stands in for a page that the user's role may not see. */
export function MayNot({ needed }: { needed: readonly string[] }) {
  const { data: me } = useQuery(meQuery)
  return (
    <Page
      title="Not for your role"
      lead={`This page needs the permission ${needed.join(' or ')}, which your role, ${me?.role}, does not have. Ask an owner or admin.`}
    >
      <Link {...paths.overview()} className={buttonClass('primary')}>
        Go to the overview
      </Link>
    </Page>
  )
}
