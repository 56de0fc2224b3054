import { useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { paths } from '~/lib/paths'
import { useForbidden } from '~/lib/queries/auth'
import { createProvider, providerKeys, providerKindsQuery } from '~/lib/queries/providers'
import type { ProviderKind } from '~/lib/schema'
import { buttonClass } from '~/ui/button'
import { BackLink } from '~/ui/list-link'
import { Notice } from '~/ui/notice'
import { Card, Page } from '~/ui/page'
import { toast } from '~/ui/toast'
import { ProviderForm } from './form'

const route = getRouteApi('/shell/providers/new')

export function NewProviderPage() {
  const { kind: name } = route.useSearch()
  const { data } = useSuspenseQuery(providerKindsQuery)
  const forbidden = useForbidden('providers:write', 'add providers')
  const kinds = data.data.filter((kind) => kind.type === 'api')
  const kind = kinds.find((one) => one.name === name)
  return (
    <Page
      title={kind ? `Add ${kind.title}` : 'Add a provider'}
      lead={kind ? undefined : 'Which AI service is it?'}
      above={
        kind ? (
          <BackLink link={paths.newProvider()}>All kinds</BackLink>
        ) : (
          <BackLink link={paths.providers()}>Providers</BackLink>
        )
      }
    >
      {forbidden && (
        <div className="mb-5 max-w-2xl">
          <Notice tone="plain" title="Only to look at">
            {forbidden}
          </Notice>
        </div>
      )}
      {kind ? <Create kind={kind} locked={forbidden} /> : <KindGrid kinds={kinds} />}
    </Page>
  )
}

function KindGrid({ kinds }: { kinds: ProviderKind[] }) {
  return (
    <ul className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
      {kinds.map((kind) => (
        <li key={kind.name}>
          <Link
            {...paths.newProvider(kind.name)}
            className="block h-full rounded-lg border border-line bg-surface p-4 transition-colors hover:border-accent"
          >
            <span className="font-[620]">{kind.title}</span>
            <span className="mt-1 block text-sm text-ink-3">
              {kind.base_url ? hostOf(kind.base_url) : 'Any address that you give'}
              {kind.keyless && ' · works without a key'}
            </span>
          </Link>
        </li>
      ))}
    </ul>
  )
}

function Create({ kind, locked }: { kind: ProviderKind; locked: string | undefined }) {
  const queries = useQueryClient()
  const navigate = useNavigate()
  async function create(values: { name: string; config: Record<string, unknown> }) {
    const provider = await createProvider({ type: 'api', provider: kind.name, ...values })
    await queries.invalidateQueries({ queryKey: providerKeys })
    toast(`${provider.name} was added`, 'Test it now, to see that it answers.')
    await navigate({ ...paths.provider(provider.id), ignoreBlocker: true })
  }
  return (
    <Card className="max-w-2xl">
      <ProviderForm
        key={kind.name}
        kind={kind}
        name={kind.name}
        locked={locked}
        submitLabel="Add provider"
        onSubmit={create}
        aside={
          <Link {...paths.providers()} className={buttonClass('quiet')}>
            Cancel
          </Link>
        }
      />
      {kind.env_keys.length > 0 && (
        <p className="mt-5 text-sm text-ink-3">
          Instead of storing the key here, name a variable under More settings, such as{' '}
          <code className="font-mono">{kind.env_keys[0]}</code>.
        </p>
      )}
    </Card>
  )
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url
}
