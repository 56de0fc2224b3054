import { useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import type { Versioned } from '~/lib/client'
import { ago, fullTime } from '~/lib/format'
import { paths } from '~/lib/paths'
import { asProblem } from '~/lib/problem'
import { useForbidden } from '~/lib/queries/auth'
import {
  deleteProvider,
  providerKeys,
  providerKindsQuery,
  providerQuery,
  updateProvider,
} from '~/lib/queries/providers'
import type { Provider, ProviderKind } from '~/lib/schema'
import { Badge } from '~/ui/badge'
import { Button } from '~/ui/button'
import { Confirm } from '~/ui/dialog'
import { BackLink } from '~/ui/list-link'
import { Notice } from '~/ui/notice'
import { Card, Facts, Page } from '~/ui/page'
import { Health, healthWords, lockReason, Origin } from '~/ui/provider-words'
import { toast, toastFailure } from '~/ui/toast'
import { ProviderForm } from './form'
import { TestPanel } from './test-panel'

const route = getRouteApi('/shell/providers/$id')

export function ProviderPage() {
  const { id } = route.useParams()
  const { data } = useSuspenseQuery(providerQuery(id))
  const { data: kinds } = useSuspenseQuery(providerKindsQuery)
  const provider = data.value
  const kind = kinds.data.find((one) => one.name === provider.provider)
  return (
    <Page
      title={provider.name}
      above={<BackLink link={paths.providers()}>Providers</BackLink>}
      aside={
        <>
          <Origin provider={provider} />
          <Health provider={provider} />
        </>
      }
      actions={<Actions saved={data} />}
    >
      <div className="grid items-start gap-5 lg:grid-cols-[1fr_22rem]">
        <Settings saved={data} kind={kind} />
        <div className="space-y-5">
          <TestPanel provider={provider} />
          <About provider={provider} kind={kind} />
        </div>
      </div>
    </Page>
  )
}

function Settings({ saved, kind }: { saved: Versioned<Provider>; kind: ProviderKind | undefined }) {
  const change = useChange(saved)
  const forbidden = useForbidden('providers:write', 'change providers')
  const locked = lockReason(saved.value)
  const reason = locked ?? forbidden
  if (!kind) {
    return (
      <Notice tone="warn" title="Unknown kind">
        This version of Point has no provider kind named {saved.value.provider}.
      </Notice>
    )
  }
  return (
    <Card title="Settings">
      {reason && (
        <div className="mb-5">
          <Notice tone="plain" title={locked ? 'Locked' : 'Only to look at'}>
            {reason}
          </Notice>
        </div>
      )}
      <ProviderForm
        kind={kind}
        provider={saved.value}
        locked={reason}
        submitLabel="Save changes"
        onSubmit={async (values) => {
          await change.mutateAsync(values)
          toast('Saved', 'It applies to the next request.')
        }}
      />
    </Card>
  )
}

function Actions({ saved }: { saved: Versioned<Provider> }) {
  const { id, name, status } = saved.value
  const change = useChange(saved)
  const queries = useQueryClient()
  const navigate = useNavigate()
  const forbidden = useForbidden('providers:write', 'change providers')
  const reason = lockReason(saved.value) ?? forbidden
  const active = status === 'active'
  async function toggle() {
    try {
      await change.mutateAsync({ status: active ? 'inactive' : 'active' })
      toast(active ? `${name} gets no more requests` : `${name} gets requests again`)
    } catch (error) {
      if (!asProblem(error).stale) toastFailure('Not changed', error)
    }
  }
  async function remove() {
    try {
      await deleteProvider(id, saved.etag)
    } catch (error) {
      toastFailure('Not deleted', error)
      if (asProblem(error).stale) await queries.invalidateQueries({ queryKey: providerKeys })
      throw error
    }
    await navigate({ ...paths.providers(), ignoreBlocker: true })
    queries.removeQueries({ queryKey: providerQuery(id).queryKey })
    await queries.invalidateQueries({ queryKey: providerKeys })
    toast(`${name} was deleted`)
  }
  return (
    <>
      <Button busy={change.isPending} disabledReason={reason} onClick={toggle}>
        {active ? 'Disable' : 'Enable'}
      </Button>
      {reason ? (
        <Button look="danger" disabledReason={reason}>
          Delete
        </Button>
      ) : (
        <Confirm
          trigger={<Button look="danger">Delete</Button>}
          title={`Delete ${name}?`}
          action="Delete provider"
          onConfirm={remove}
        >
          Requests go to it no more, and its stored key is erased. The history keeps its name.
        </Confirm>
      )}
    </>
  )
}

function About({ provider, kind }: { provider: Provider; kind: ProviderKind | undefined }) {
  return (
    <Card title="About">
      <Facts
        items={[
          ...(provider.health.message ? [['Health', healthWords(provider.health)] as [string, string]] : []),
          ['Kind', kind?.title ?? provider.provider],
          ['Address', provider.private ? <Badge key="address">Private network</Badge> : 'Public'],
          [
            'Changed',
            <span key="changed" title={fullTime(provider.updated_at)}>
              {ago(provider.updated_at)}
            </span>,
          ],
          [
            'Added',
            <span key="added" title={fullTime(provider.created_at)}>
              {ago(provider.created_at)}
            </span>,
          ],
          [
            'Requests',
            <Link key="requests" {...paths.requests({ provider: provider.name })} className="link">
              Show its requests
            </Link>,
          ],
        ]}
      />
    </Card>
  )
}

/** Changes a provider. If somebody else was faster, says so and shows what it is now. */
function useChange(saved: Versioned<Provider>) {
  const queries = useQueryClient()
  const { id } = saved.value
  return useMutation({
    mutationFn: (body: Parameters<typeof updateProvider>[2]) => updateProvider(id, saved.etag, body),
    onSuccess: async (next) => {
      queries.setQueryData(providerQuery(id).queryKey, next)
      await queries.invalidateQueries({ queryKey: [...providerKeys, 'list'] })
    },
    onError: async (error) => {
      if (!asProblem(error).stale) return
      toastFailure('Changed by somebody else', error)
      await queries.invalidateQueries({ queryKey: providerQuery(id).queryKey })
    },
  })
}
