import { screen, within } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import { leave } from '~/lib/session'
import { freshPoint, usedPoint } from '~/testing/fake-data'
import { FakePoint, owner, setupToken } from '~/testing/fake-point'
import { fakeId } from '~/testing/fake-requests'
import { openPage } from '~/testing/render'

const wait = { timeout: 5000 }

test('without a session a page leads to sign-in, and back after it', async () => {
  const fake = new FakePoint({ data: usedPoint(Date.now()) })
  const { user, router } = openPage('/providers', fake, false)
  expect(await screen.findByRole('heading', { name: 'Sign in' }, wait)).toBeTruthy()
  await user.type(screen.getByLabelText('Email'), owner.email)
  await user.type(screen.getByLabelText('Password'), 'wrong')
  await user.click(screen.getByRole('button', { name: 'Sign in' }))
  expect(await screen.findByText('The email address or the password is wrong.', {}, wait)).toBeTruthy()
  await user.clear(screen.getByLabelText('Password'))
  await user.type(screen.getByLabelText('Password'), owner.password)
  await user.click(screen.getByRole('button', { name: 'Sign in' }))
  expect(await screen.findByRole('heading', { name: 'Providers' }, wait)).toBeTruthy()
  expect(router.state.location.pathname).toBe('/providers')
})

test('the set-up link makes the first account, and its token leaves the address', async () => {
  const fake = new FakePoint({ data: freshPoint(Date.now()), needsSetup: true })
  const { user, router } = openPage(`/setup?token=${setupToken}`, fake, false)
  await user.type(await screen.findByLabelText('Email', {}, wait), owner.email)
  expect(router.state.location.search).toEqual({})
  await user.type(screen.getByLabelText('Password'), 'short')
  await user.click(screen.getByRole('button', { name: /Create/ }))
  expect(await screen.findByText('Use at least 12 characters.', {}, wait)).toBeTruthy()
  await user.type(screen.getByLabelText('Password'), ' but longer now')
  await user.type(screen.getByLabelText('Password again'), 'short but longer now')
  await user.click(screen.getByRole('button', { name: /Create/ }))
  expect(await screen.findByRole('heading', { name: 'Send a request' }, wait)).toBeTruthy()
})

test('a token that is used up is told at its field', async () => {
  const fake = new FakePoint({ data: freshPoint(Date.now()), needsSetup: true })
  const { user } = openPage('/setup?token=old', fake, false)
  await user.type(await screen.findByLabelText('Email', {}, wait), owner.email)
  await user.type(screen.getByLabelText('Password'), owner.password)
  await user.type(screen.getByLabelText('Password again'), owner.password)
  await user.click(screen.getByRole('button', { name: /Create/ }))
  expect(await screen.findByText(/This link is used up/, {}, wait)).toBeTruthy()
  expect(screen.getByLabelText('Set-up token').getAttribute('aria-invalid')).toBe('true')
})

test('a name that is taken is told at its field', async () => {
  const { user } = openPage('/providers/new?kind=openai')
  const name = await screen.findByLabelText('Name', {}, wait)
  await user.clear(name)
  await user.type(name, 'demo-openai')
  await user.click(screen.getByRole('button', { name: 'Add provider' }))
  expect(await screen.findByText('This is taken.', {}, wait)).toBeTruthy()
})

test('a change that lost a race is told, and the page shows what is now', async () => {
  const { fake, user } = openPage('/providers/01939f00-0000-7000-8000-000000000001')
  const [provider] = fake.data.providers
  const name = await screen.findByLabelText('Name', {}, wait)
  if (provider) Object.assign(provider, { version: 2, status: 'inactive' })
  await user.type(name, '-new')
  await user.click(screen.getByRole('button', { name: 'Save changes' }))
  expect(
    (await screen.findAllByText(/Somebody else changed this provider/, {}, wait)).length,
  ).toBeGreaterThan(0)
  expect(await screen.findByRole('button', { name: 'Enable' }, wait)).toBeTruthy()
  await user.click(screen.getByRole('button', { name: 'Save changes' }))
  expect(await screen.findByRole('heading', { name: 'demo-openai-new' }, wait)).toBeTruthy()
})

test('what a role may not do stays reachable and says why', async () => {
  const { fake, user } = openPage('/keys', new FakePoint({ data: usedPoint(Date.now()), role: 'viewer' }))
  const create = await screen.findByRole('button', { name: 'Create key' }, wait)
  expect(create.getAttribute('aria-disabled')).toBe('true')
  const reason = document.getElementById(create.getAttribute('aria-describedby') ?? '')
  expect(reason?.textContent).toBe('Your role, viewer, may not create keys. Ask an owner or admin.')
  await user.click(create)
  expect(fake.calls).not.toContain('POST /api/keys')
})

const own = ['keys:own', 'requests:own', 'models:read']

test('a role asks for nothing that it may not see, and may do what it may', async () => {
  const data = usedPoint(Date.now())
  const fake = new FakePoint({ data, role: 'developer', permissions: own })
  const { user, router } = openPage('/', fake)
  await screen.findByRole('heading', { name: 'Recent failures' }, wait)
  const menu = within(screen.getByRole('navigation', { name: 'Main' }))
  const names = menu.getAllByRole('link').map((link) => link.textContent)
  expect(names).toEqual(['Overview', 'Requests', 'Playground', 'Keys'])
  await user.click(menu.getByRole('link', { name: 'Requests' }))
  expect(await screen.findByLabelText('Key', {}, wait)).toBeTruthy()
  expect(screen.queryByLabelText('Provider')).toBeNull()
  await router.navigate({ to: '/providers' })
  expect(
    await screen.findByText(/needs the permission providers:read, which your role, developer/),
  ).toBeTruthy()
  await router.navigate({ to: '/keys' })
  const create = await screen.findByRole('button', { name: 'Create key' }, wait)
  expect(create.getAttribute('aria-disabled')).not.toBe('true')
  await user.click(create)
  expect(await screen.findByText(/Limits are set by those who have/, {}, wait)).toBeTruthy()
  expect(screen.queryByLabelText('Requests a minute')).toBeNull()
  expect(fake.calls.filter((call) => /providers|provider-kinds|endpoints|status|alerts/.test(call))).toEqual(
    [],
  )
})

test('an overview of nothing but providers shows them alone', async () => {
  const fake = new FakePoint({
    data: usedPoint(Date.now()),
    role: 'watcher',
    permissions: ['providers:read'],
  })
  openPage('/', fake)
  expect(
    await screen.findByText('Figures of requests are for those who may see requests.', {}, wait),
  ).toBeTruthy()
  expect(screen.getByRole('heading', { name: 'Providers' })).toBeTruthy()
  expect(fake.calls.filter((call) => /requests|events|alerts|status|keys/.test(call))).toEqual([])
})

test('a key shows its token once, and can be revoked', async () => {
  const { fake, user } = openPage('/keys')
  const [create] = await screen.findAllByRole('button', { name: 'Create key' }, wait)
  if (create) await user.click(create)
  const dialog = await screen.findByRole('dialog', { name: 'Create a client key' }, wait)
  await user.type(within(dialog).getByLabelText('Name'), 'Laptop')
  await user.click(within(dialog).getByRole('button', { name: 'Create key' }))
  expect(await screen.findByText(/^pt-fake-token/, {}, wait)).toBeTruthy()
  await user.click(screen.getByRole('button', { name: 'I have copied it' }))
  expect(screen.queryByText(/^pt-fake-token/)).toBeNull()
  await user.click(await screen.findByRole('button', { name: 'Revoke' }, wait))
  await user.click(await screen.findByRole('button', { name: 'Revoke key' }, wait))
  expect(await screen.findByRole('button', { name: 'Activate' }, wait)).toBeTruthy()
  expect(fake.data.keys[0]?.status).toBe('inactive')
})

test('the playground streams an answer as plain text, with its provider and cost', async () => {
  const { user } = openPage('/playground?model=gpt-4o-mini')
  await user.click(await screen.findByRole('button', { name: 'Create a key for an hour' }, wait))
  await user.type(await screen.findByLabelText('Message', {}, wait), 'Good <i>morning</i>{Enter}')
  expect(await screen.findByText('You said: Good <i>morning</i> <b>& no markup</b>', {}, wait)).toBeTruthy()
  expect(await screen.findByText('$0.0000072', {}, wait)).toBeTruthy()
  expect(screen.getByText('demo-openai')).toBeTruthy()
})

test('an answer that breaks off keeps what came and says so', async () => {
  const { user } = openPage('/playground?model=gpt-4o-mini')
  await user.click(await screen.findByRole('button', { name: 'Create a key for an hour' }, wait))
  await user.type(await screen.findByLabelText('Message', {}, wait), 'please fail{Enter}')
  expect(await screen.findByText('The provider broke off.', {}, wait)).toBeTruthy()
  expect(screen.getByText(/^You said: please fail/)).toBeTruthy()
})

test('a mapping that is no JSON cannot be saved, and what the server refuses is listed', async () => {
  const { user } = openPage('/endpoints/01939f00-0000-7000-8000-000000000100')
  const editor = await screen.findByLabelText('Mapping as JSON', {}, wait)
  await user.clear(editor)
  await user.type(editor, '{{"strategy": ')
  expect(screen.getAllByText(/This is not JSON yet/)).toHaveLength(2)
  await user.type(editor, '"wrong"}')
  await user.click(screen.getByRole('button', { name: 'Save mapping' }))
  expect(await screen.findByText(/This must be one of priority/, {}, wait)).toBeTruthy()
})

test('filters stand in the address, and an empty result offers the way back', async () => {
  const fake = new FakePoint({ data: usedPoint(Date.now()) })
  const { user, router } = openPage('/requests?model=none', fake)
  await user.click(await screen.findByRole('link', { name: 'Clear the filters' }, wait))
  await screen.findByRole('table', {}, wait)
  await user.selectOptions(screen.getByLabelText('Status'), '5xx')
  expect(router.state.location.search).toMatchObject({ status: '5xx' })
})

test('an unknown id is told as not found', async () => {
  openPage('/requests/none')
  expect(await screen.findByRole('heading', { name: 'Not found' }, wait)).toBeTruthy()
})

test('a conversation outlives a look at another page', async () => {
  const { user, router } = openPage('/playground?model=gpt-4o-mini')
  await user.click(await screen.findByRole('button', { name: 'Create a key for an hour' }, wait))
  await user.type(await screen.findByLabelText('Message', {}, wait), 'Stay here{Enter}')
  await user.click(await screen.findByRole('link', { name: 'Show the request' }, wait))
  await screen.findByRole('heading', { name: 'Attempts' }, wait)
  router.history.back()
  expect(await screen.findByText(/^You said: Stay here/, {}, wait)).toBeTruthy()
  await user.click(screen.getByRole('button', { name: 'New conversation' }))
  expect(await screen.findByText('Nothing said yet', {}, wait)).toBeTruthy()
})

test('who signs in sees nothing that was kept for somebody else', async () => {
  const fake = new FakePoint({ data: usedPoint(Date.now()) })
  const { user } = openPage('/keys', fake)
  expect(await screen.findByText('owner', {}, wait)).toBeTruthy()
  fake.signedIn = false
  leave()
  await user.type(await screen.findByLabelText('Email', {}, wait), owner.email)
  await user.type(screen.getByLabelText('Password'), owner.password)
  fake.role = 'viewer'
  await user.click(screen.getByRole('button', { name: 'Sign in' }))
  expect(await screen.findByText('viewer', {}, wait)).toBeTruthy()
})

test('a list that failed is not told as empty', async () => {
  const fake = new FakePoint({ data: usedPoint(Date.now()) })
  fake.refuses = 'outcome=truncated'
  openPage('/', fake)
  const card = (await screen.findByRole('heading', { name: 'Recent failures' }, wait)).closest('section')
  expect(await within(card as HTMLElement).findByRole('button', { name: 'Try again' }, wait)).toBeTruthy()
  expect(screen.queryByText('Nothing failed')).toBeNull()
})

test('an unknown path stays within the frame', async () => {
  openPage('/nowhere/at/all')
  expect(await screen.findByRole('heading', { name: 'There is no such page' }, wait)).toBeTruthy()
  expect(screen.getByRole('navigation', { name: 'Main' })).toBeTruthy()
})

test('a switch that a role may not use says why, and does nothing', async () => {
  const fake = new FakePoint({ data: usedPoint(Date.now()), role: 'viewer' })
  const { user } = openPage('/endpoints', fake)
  const [control] = await screen.findAllByRole('switch', {}, wait)
  if (!control) throw new Error('there is no switch')
  const reason = document.getElementById(control.getAttribute('aria-describedby') ?? '')
  expect(reason?.textContent).toBe('Your role, viewer, may not switch endpoints. Ask an owner or admin.')
  await user.click(control)
  expect(fake.calls.some((call) => call.startsWith('PUT'))).toBe(false)
})

test('search and sort of a list stand in the address, and open with it', async () => {
  const fake = new FakePoint({ data: manyProviders() })
  const { user, router } = openPage('/providers?q=team-1&sort=-name', fake)
  const names = async () => {
    const table = await screen.findByRole('table', {}, wait)
    return within(table)
      .getAllByRole('link')
      .map((link) => link.textContent)
  }
  expect(await names()).toEqual(['team-12', 'team-11', 'team-10', 'team-1'])
  expect(screen.getByText('4 of 12 providers')).toBeTruthy()
  await user.click(screen.getByRole('button', { name: 'Name' }))
  await vi.waitFor(() => expect(router.state.location.search).toEqual({ q: 'team-1' }))
  await user.clear(screen.getByLabelText('Search'))
  await user.type(screen.getByLabelText('Search'), 'none such')
  await user.click(await screen.findByRole('button', { name: 'Clear the search' }, wait))
  expect(await names()).toHaveLength(12)
})

test('a request that was sent just now is waited for until its record is there', async () => {
  const data = usedPoint(Date.now())
  const fake = new FakePoint({ data })
  const [record] = data.requests
  if (!record) throw new Error('there is no request')
  const hex = Date.now().toString(16).padStart(12, '0')
  const id = `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000001`
  openPage(`/requests/${id}`, fake)
  await vi.waitFor(() => expect(fake.calls).toContain(`GET /api/requests/${id}`))
  data.requests.push({ ...record, id })
  expect(await screen.findByRole('heading', { name: 'Attempts' }, wait)).toBeTruthy()
})

test('the way back from a request leads to the list as it was narrowed', async () => {
  const { user, router } = openPage(
    '/requests?outcome=complete&model=gpt-4o-mini',
    new FakePoint({ data: usedPoint(Date.now()) }),
  )
  const [first] = within(await screen.findByRole('table', {}, wait)).getAllByRole('link')
  if (first) await user.click(first)
  await screen.findByRole('heading', { name: 'Attempts' }, wait)
  await user.click(within(screen.getByRole('main')).getByRole('link', { name: 'Requests' }))
  await screen.findByRole('table', {}, wait)
  expect(router.state.location.search).toMatchObject({ outcome: 'complete', model: 'gpt-4o-mini' })
})

function manyProviders() {
  const data = usedPoint(Date.now())
  const [like] = data.providers
  if (!like) throw new Error('there is no provider')
  data.providers = Array.from({ length: 12 }, (_, n) => ({
    ...like,
    id: fakeId(n + 1),
    name: `team-${n + 1}`,
  }))
  return data
}

test('Escape in the field of the model closes its list and keeps what stands there', async () => {
  const { user } = openPage('/playground?model=claude-sonnet-4-5')
  await user.click(await screen.findByLabelText('Model', {}, wait))
  expect((await screen.findAllByRole('option', {}, wait)).length).toBeGreaterThan(1)
  await user.keyboard('{Escape}')
  await vi.waitFor(() => expect(screen.queryByRole('option')).toBeNull())
  await user.keyboard('{Escape}')
  expect(screen.getByLabelText<HTMLInputElement>('Model').value).toBe('claude-sonnet-4-5')
})

test('a failure is told by a toast that readers and keys reach', async () => {
  const fake = new FakePoint({ data: usedPoint(Date.now()) })
  const { user } = openPage('/endpoints', fake)
  const [control] = await screen.findAllByRole('switch', {}, wait)
  for (const endpoint of fake.data.endpoints) endpoint.version++
  if (control) await user.click(control)
  const toast = (await screen.findAllByText('Changed by somebody else', {}, wait))[0]
  expect(toast?.closest('[aria-hidden="true"]')).toBeNull()
  await user.click(screen.getByRole('button', { name: 'Dismiss' }))
  await vi.waitFor(() => expect(screen.queryByRole('button', { name: 'Dismiss' })).toBeNull())
})
