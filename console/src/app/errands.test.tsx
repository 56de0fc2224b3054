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
