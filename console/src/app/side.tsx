import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import {
  Bell,
  ChartLine,
  KeyRound,
  LogOut,
  type LucideIcon,
  MessageSquareText,
  Plug,
  Rows3,
  Waypoints,
} from 'lucide-react'
import type { ReactNode } from 'react'
import { may, needs } from '~/lib/may'
import { paths } from '~/lib/paths'
import { mayHeal } from '~/lib/problem'
import { meQuery, signOut, useMay } from '~/lib/queries/auth'
import { providersQuery } from '~/lib/queries/providers'
import { alertsQuery, statusQuery } from '~/lib/queries/status'
import { State } from '~/ui/badge'
import { IconButton } from '~/ui/button'
import { Mark } from '~/ui/mark'
import { systemState } from './system-state'
import { ThemeSwitch } from './theme-switch'

const nav = [
  { link: paths.overview(), label: 'Overview', icon: ChartLine },
  { link: paths.requests(), label: 'Requests', icon: Rows3, needs: needs.requests },
  { link: paths.playground(), label: 'Playground', icon: MessageSquareText },
  { link: paths.providers(), label: 'Providers', icon: Plug, needs: needs.providers },
  { link: paths.endpoints(), label: 'Endpoints', icon: Waypoints, needs: needs.endpoints },
  { link: paths.keys(), label: 'Keys', icon: KeyRound, needs: needs.keys },
  { link: paths.alerts(), label: 'Alerts', icon: Bell, needs: needs.alerts },
] as const satisfies { link: { to: string }; label: string; icon: LucideIcon; needs?: readonly string[] }[]

/** What stands at the side: brand, navigation, theme, and who is signed in. */
export function SideContent({ onNavigate }: { onNavigate?: () => void }) {
  const { data: me } = useQuery(meQuery)
  const shown = nav.filter((item) => !('needs' in item) || may(me, item.needs))
  return (
    <>
      <div className="flex h-16 shrink-0 items-center px-4">
        <Brand />
      </div>
      <nav aria-label="Main" className="flex-1 overflow-y-auto px-2.5">
        <ul className="space-y-0.5">
          {shown.map((item) => (
            <li key={item.link.to}>
              <NavLink {...item} onNavigate={onNavigate} />
            </li>
          ))}
        </ul>
      </nav>
      <div className="space-y-3 border-t border-line p-3">
        <ThemeSwitch />
        <SystemState />
        <div className="flex items-center gap-2">
          <div className="min-w-0 flex-1 pl-1.5">
            <p className="truncate text-sm font-[550]" title={me?.email}>
              {me?.email}
            </p>
            <p className="text-xs text-ink-3">{me?.role}</p>
          </div>
          <SignOut />
        </div>
      </div>
    </>
  )
}

function NavLink({
  link,
  label,
  icon: Icon,
  onNavigate,
}: (typeof nav)[number] & { onNavigate?: (() => void) | undefined }) {
  return (
    <Link
      {...link}
      onClick={onNavigate}
      activeOptions={{ exact: link.to === '/', includeSearch: false }}
      className="relative flex h-9 items-center gap-3 rounded-md px-2.5 text-ink-2 transition-colors hover:bg-hover hover:text-ink"
      activeProps={{
        className:
          'bg-surface! text-ink! font-[580] shadow-[inset_0_0_0_1px_var(--line)] [&>svg]:text-accent before:absolute before:-left-2.5 before:h-4 before:w-0.75 before:rounded-r-full before:bg-mark',
      }}
    >
      <Icon aria-hidden className="size-4" strokeWidth={1.9} />
      <span className="flex-1">{label}</span>
      {link.to === '/alerts' && <OpenAlerts />}
    </Link>
  )
}

/** How Point itself is, and which version answers; what ails it is the hint. */
function SystemState() {
  const status = useQuery({ ...statusQuery, enabled: useMay('status:read') })
  const alerts = useQuery({ ...alertsQuery('open'), enabled: useMay(...needs.alerts) }).data?.data ?? []
  const providers = useQuery({ ...providersQuery, enabled: useMay(...needs.providers) }).data?.data ?? []
  const silent = status.isError && mayHeal(0, status.error)
  if (!silent && !status.data) return null
  const { tone, words, hint } = systemState({ silent, status: status.data, alerts, providers })
  return (
    <p role="status" className="flex items-center justify-between gap-2 px-1.5 text-xs text-ink-3">
      <State tone={tone} title={hint || undefined}>
        {words}
      </State>
      <span className="truncate" title={status.data?.version}>
        {status.data?.version.split(' ')[0]}
      </span>
    </p>
  )
}

function OpenAlerts(): ReactNode {
  const { data } = useQuery(alertsQuery('open'))
  const open = data?.total ?? data?.data.length ?? 0
  if (open === 0) return null
  return (
    <span className="num rounded-full bg-warn-soft px-1.5 text-xs font-[620] text-warn">
      {open}
      <span className="sr-only"> open</span>
    </span>
  )
}

export function Brand() {
  return (
    <Link
      {...paths.overview()}
      className="inline-flex items-center gap-2.5 rounded-sm text-lg font-[660] tracking-tight"
    >
      <Mark className="size-5.5" />
      Point
    </Link>
  )
}

function SignOut() {
  const queries = useQueryClient()
  const navigate = useNavigate()
  async function leave() {
    await signOut().catch(() => undefined)
    queries.clear()
    await navigate({ ...paths.signIn(), ignoreBlocker: true })
  }
  return (
    <IconButton label="Sign out" size="sm" onClick={leave}>
      <LogOut />
    </IconButton>
  )
}
