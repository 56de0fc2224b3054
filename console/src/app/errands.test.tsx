import { screen, waitFor, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import { usedPoint } from '~/testing/fake-data'
import { FakePoint, owner, setupToken } from '~/testing/fake-point'
import { fakeId } from '~/testing/fake-requests'
import { openPage } from '~/testing/render'

/** What somebody who is new here runs into. */

const wait = { timeout: 5000 }
const used = () => new FakePoint({ data: usedPoint(Date.now()) })

test('the id of an answer opens its request; one that is unknown is told at the field', async () => {
  const { user, router } = openPage('/requests', used())
  const field = await screen.findByLabelText('Request id', {}, wait)
  await user.type(field, 'f0000000-0000-7000-8000-000000000000{Enter}')
  expect(await screen.findByText('No request has this id.', {}, wait)).toBeTruthy()
  await user.clear(field)
  await user.type(field, `x-request-id: ${fakeId(1004)}{Enter}`)
  await screen.findByRole('heading', { name: 'Attempts' }, wait)
  expect(router.state.location.pathname).toBe(`/requests/${fakeId(1004)}`)
})

test('too many wrong tries are told with the time to wait, and the lost password with its command', async () => {
  const fake = used()
  fake.signInWait = 871
  const { user } = openPage('/keys', fake, false)
  await user.type(await screen.findByLabelText('Email', {}, wait), owner.email)
  await user.type(screen.getByLabelText('Password'), 'wrong')
  await user.click(screen.getByRole('button', { name: 'Sign in' }))
  expect(await screen.findByText(/Try again in 15 minutes\.$/, {}, wait)).toBeTruthy()
  expect(screen.getByText(`point user passwd ${owner.email}`)).toBeTruthy()
})

test('set-up begins in its first field', async () => {
  const fake = new FakePoint({ data: usedPoint(0), needsSetup: true })
  openPage(`/setup?token=${setupToken}`, fake, false)
  expect(await screen.findByLabelText('Email', {}, wait)).toBe(document.activeElement)
})

test('the playground says why it cannot send, and what failed with its request', async () => {
  const { user } = openPage('/playground?model=none')
  expect(await screen.findByText('Create or paste a client key first.', { selector: 'p' }, wait)).toBeTruthy()
  await user.click(screen.getByRole('button', { name: 'Create a key for an hour' }))
  await user.type(screen.getByLabelText('Message'), 'Anybody?')
  await waitFor(() => expect(screen.queryByText(/client key first/)).toBeNull())
  await user.keyboard('{Enter}')
  const turns = (await screen.findByText('model_not_found', {}, wait)).closest('ol')
  expect(within(turns as HTMLElement).getByText('none')).toBeTruthy()
  expect(screen.getByRole('link', { name: 'Show the request' })).toBeTruthy()
})

test('the code of the playground holds the conversation so far', async () => {
  const { user } = openPage('/playground?model=gpt-4o-mini')
  await user.click(await screen.findByRole('button', { name: 'Create a key for an hour' }, wait))
  await user.type(screen.getByLabelText('Message'), 'First things{Enter}')
  await screen.findByText('$0.0000072', {}, wait)
  await user.type(screen.getByLabelText('Message'), 'and then')
  await user.click(screen.getByRole('button', { name: 'Go' }))
  const code = screen.getByRole('region', { name: 'Request with Go' }).textContent
  for (const said of [
    'UserMessage("First things")',
    'AssistantMessage("You said: First things',
    'UserMessage("and then")',
  ])
    expect(code).toContain(said)
})

test('a provider form with changes is not left without a question', async () => {
  const { user, router } = openPage(`/providers/${fakeId(1)}`, used())
  await user.type(await screen.findByLabelText('Name', {}, wait), '-new')
  await user.click(screen.getByRole('link', { name: 'Keys' }))
  const dialog = await screen.findByRole('alertdialog', { name: 'Leave without saving?' }, wait)
  await user.click(within(dialog).getByRole('button', { name: 'Stay' }))
  expect(screen.getByLabelText<HTMLInputElement>('Name').value).toBe('demo-openai-new')
  await user.click(screen.getByRole('button', { name: 'Save changes' }))
  await screen.findByRole('heading', { name: 'demo-openai-new' }, wait)
  await user.click(screen.getByRole('link', { name: 'Keys' }))
  await screen.findByRole('heading', { name: 'Keys' }, wait)
  expect(router.state.location.pathname).toBe('/keys')
})

test('a new provider is saved without a question', async () => {
  const { user } = openPage('/providers/new?kind=openai', used())
  await user.type(await screen.findByLabelText('Name', {}, wait), '-2')
  await user.click(screen.getByRole('button', { name: 'Add provider' }))
  expect(await screen.findByRole('heading', { name: 'openai-2' }, wait)).toBeTruthy()
  expect(screen.queryByRole('alertdialog')).toBeNull()
})

test('a typed mapping outlives a race, and is left only after a question', async () => {
  const { fake, user, router } = openPage(`/endpoints/${fakeId(100)}`, used())
  const editor = await screen.findByLabelText<HTMLTextAreaElement>('Mapping as JSON', {}, wait)
  await user.clear(editor)
  await user.type(editor, '{{"strategy": "weighted"}')
  for (const endpoint of fake.data.endpoints) endpoint.version++
  await user.click(screen.getByRole('button', { name: 'Save mapping' }))
  expect(await screen.findByText(/Your text is kept/, {}, wait)).toBeTruthy()
  expect(editor.value).toBe('{"strategy": "weighted"}')
  await user.click(screen.getByRole('link', { name: 'Keys' }))
  await user.click(await screen.findByRole('button', { name: 'Stay' }, wait))
  await user.click(screen.getByRole('button', { name: 'Save mapping' }))
  expect(await screen.findByText('Mapping saved', {}, wait)).toBeTruthy()
  expect(router.state.location.pathname).toBe(`/endpoints/${fakeId(100)}`)
})

test('a test of an older address does not stay beside the new one', async () => {
  const { user } = openPage(`/providers/${fakeId(1)}`, used())
  await user.click(await screen.findByRole('button', { name: 'Send test' }, wait))
  await screen.findByText('It answers', {}, wait)
  await user.type(screen.getByLabelText(/Base URL/), '/elsewhere')
  await user.click(screen.getByRole('button', { name: 'Save changes' }))
  await waitFor(() => expect(screen.queryByText('It answers')).toBeNull(), wait)
})

test('Escape asks once more before a key that nobody copied is gone', async () => {
  const { user } = openPage('/keys', used())
  await user.click(await screen.findByRole('button', { name: 'Create key' }, wait))
  const dialog = await screen.findByRole('dialog', {}, wait)
  await user.click(within(dialog).getByText('Limits'))
  expect(within(dialog).getByText(/A request beyond one of them is refused/)).toBeTruthy()
  await user.type(within(dialog).getByLabelText('Name'), 'Laptop{Enter}')
  await screen.findByText(/^pt-fake-token/, {}, wait)
  await user.keyboard('{Escape}')
  expect(await screen.findByText('The key is not copied yet', {}, wait)).toBeTruthy()
  expect(screen.getByText(/^pt-fake-token/)).toBeTruthy()
  await user.keyboard('{Escape}')
  await waitFor(() => expect(screen.queryByText(/^pt-fake-token/)).toBeNull(), wait)
})

test('limits of a key are shown with what is used of them', async () => {
  openPage('/keys', used())
  const row = (await screen.findByText('Billing service', {}, wait)).closest('tr')
  expect(within(row as HTMLElement).getByText('12 of 600/min, $45.60 of $250.00/month')).toBeTruthy()
})

test('a list that holds only the first of many says so', async () => {
  const fake = used()
  const [like] = fake.data.keys
  if (!like) throw new Error('there is no key')
  fake.data.keys = Array.from({ length: 12 }, (_, n) => ({ ...like, id: fakeId(n + 1) }))
  fake.unlisted = 8
  openPage('/keys', fake)
  expect(await screen.findByText('Showing 12 of 20 keys', {}, wait)).toBeTruthy()
})

test('the overview tells who asked, and the cost of the chosen span', async () => {
  openPage('/?span=week', used())
  const card = (await screen.findByRole('heading', { name: 'Keys' }, wait)).closest('section')
  expect(within(card as HTMLElement).getByRole('link', { name: 'Billing service' })).toBeTruthy()
  expect(screen.getByText('Cost')).toBeTruthy()
  expect(screen.queryByText('Cost today')).toBeNull()
})

test('a Point that fell silent is not told as well', async () => {
  const fake = used()
  fake.silent = '/api/status'
  openPage('/keys', fake)
  expect(await screen.findByText('Point does not answer', {}, { timeout: 9000 })).toBeTruthy()
}, 12_000)

test('what is kept of a request stands under its names', async () => {
  const fake = used()
  const answered = fake.data.requests.find((request) => request.response !== undefined)
  openPage(`/requests/${answered?.id}`, fake)
  expect(await screen.findByRole('heading', { name: 'Request' }, wait)).toBeTruthy()
  expect(screen.getByRole('heading', { name: 'Response' })).toBeTruthy()
})
