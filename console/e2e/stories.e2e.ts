import type { Page, Response } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest'
import { owner } from '../src/testing/fake-point.ts'
import { axeFindings, launch, overflow, settled, shot, watch, widths } from './browser.ts'

/** The first hour with Point, told in order: each story goes on where the one before ended. */

const url = inject('url')
const wait = { timeout: 20_000 }
let page: Page
let faults: string[]
let close: () => Promise<void>

beforeAll(async () => {
  const browser = await launch()
  close = browser.close
  page = await browser.context.newPage()
  page.setDefaultTimeout(wait.timeout)
  faults = watch(page, url)
})
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await shot(page, `failed-${task.name.replaceAll(/\W+/g, '-')}`)
})
afterAll(() => close())

const heading = (name: string | RegExp) => page.getByRole('heading', { level: 1, name })
const button = (name: string | RegExp) => page.getByRole('button', { name })
const nav = (name: string) => page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name })

test('the set-up link makes the owner and leads to the overview', async () => {
  await page.goto(inject('setupUrl'))
  await heading('Welcome to Point').waitFor()
  expect(await axeFindings(page)).toEqual([])
  await page.getByLabel('Email').fill(owner.email)
  await page.getByLabel('Password', { exact: true }).fill(owner.password)
  await page.getByLabel('Password again').fill(owner.password)
  expect(page.url(), 'the token has left the address').toBe(`${url}/setup`)
  await button('Create the owner').click()
  await heading('Overview').waitFor()
  await page.getByText('Send a request').waitFor()
  expect(await axeFindings(page)).toEqual([])
  await shot(page, 'story-onboarding')
})

test('a reload keeps the session, by its cookie', async () => {
  await page.reload()
  await heading('Overview').waitFor()
  expect(await page.evaluate(() => document.cookie), 'no script can read it').toBe('')
  expect(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))).not.toContain(
    'ey',
  )
})

test('a provider is made from the schema of its kind', async () => {
  const base = await demoBaseURL()
  await nav('Providers').click()
  await page.getByRole('link', { name: 'Add provider' }).click()
  await page.getByRole('link', { name: /OpenAI-compatible/i }).click()
  await page.getByLabel('Name').fill('demo-openai')
  await page.getByLabel('Base URL').fill(base)
  await button('Add provider').click()
  await page.getByText(/taken/).first().waitFor()
  await page.getByLabel('Name').fill('story')
  await page.getByLabel('API key optional', { exact: true }).fill('sk-story-0123456789')
  await button('Add provider').click()
  await heading('story').waitFor()
  expect(await page.content(), 'the key is masked').not.toContain('sk-story-0123456789')
})

test('a test shows the answer and its latency', async () => {
  await page.getByLabel('Model optional', { exact: true }).fill('gpt-4o-mini')
  await page.keyboard.press('Escape')
  await button('Send test').click()
  await page.getByText('It answers', { exact: true }).waitFor()
  await page.getByRole('list', { name: 'Route' }).getByText(/story/).waitFor()
  expect(await axeFindings(page)).toEqual([])
  await shot(page, 'story-test')
})

test('it can be disabled and enabled again', async () => {
  await button('Disable').click()
  await button('Enable').click()
  await button('Disable').waitFor()
})

test('the playground streams an answer with its cost and its provider', async () => {
  await nav('Playground').click()
  await button('Create a key for an hour').click()
  await page.getByText('in this tab only').waitFor()
  await page.getByLabel('Message', { exact: true }).fill('Tell me of the sea.')
  await button('Send').click()
  await page.getByRole('link', { name: 'Show the request' }).waitFor()
  const answer = (await page.getByTestId('answer').textContent()) ?? ''
  expect(answer.length).toBeGreaterThan(5)
  for (const fact of ['Provider', 'First content', 'Tokens', 'Cost'])
    await page.getByText(fact, { exact: true }).first().waitFor()
  expect(await axeFindings(page)).toEqual([])
  await shot(page, 'story-playground')
})

test('what was asked stands in the requests, with its attempts', async () => {
  await page.getByRole('link', { name: 'Show the request' }).click()
  await page.getByRole('heading', { name: 'Attempts' }).waitFor()
  await page.getByText('Complete', { exact: true }).first().waitFor()
  await shot(page, 'story-request')
  await nav('Requests').click()
  await page.getByRole('table').waitFor()
  expect(await page.getByRole('row').count()).toBeGreaterThan(1)
  await page.getByLabel('Outcome').selectOption('truncated')
  await page.getByText('No request matches').waitFor()
  await page.getByRole('link', { name: 'Clear the filters' }).click()
  await page.getByRole('table').waitFor()
})

test('a key is made, shown once, and revoked', async () => {
  await nav('Keys').click()
  await button('Create key').first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('Story key')
  await dialog.getByText('Limits').click()
  await dialog.getByLabel('Requests a minute').fill('60')
  await dialog.getByLabel('Budget a day, USD').fill('abc')
  await dialog.getByRole('button', { name: 'Create key' }).click()
  await dialog.getByText('This must be an amount such as 12.50.').waitFor()
  await dialog.getByLabel('Budget a day, USD').fill('12.50')
  await dialog.getByRole('button', { name: 'Create key' }).click()
  await page.getByText('Copy the key now').waitFor()
  expect(await axeFindings(page)).toEqual([])
  await button('I have copied it').click()
  const row = page.getByRole('row', { name: /Story key/ })
  await row.getByText('60/min').waitFor()
  await row.getByRole('button', { name: 'Revoke' }).click()
  await button('Revoke key').click()
  await row.getByText('Revoked').filter({ visible: true }).waitFor()
})

test('an endpoint is switched off and on', async () => {
  await nav('Endpoints').click()
  const control = page.getByRole('switch', { name: '/v1/embeddings is active' })
  await control.click()
  await page.getByText('/v1/embeddings is switched off').waitFor()
  expect(await axeFindings(page), 'with a toast').toEqual([])
  await control.click()
  await page.getByText('/v1/embeddings answers again').waitFor()
})

const pages = ['/', '/requests', '/playground', '/providers', '/endpoints', '/keys', '/alerts', '/nowhere']

// Over a fake Point, pages.e2e.ts looks at them all, and closer.
test.runIf(inject('real')).each(pages)('%s is sound in both themes, and fits 320 px', async (path) => {
  await page.goto(`${url}${path}`)
  await page.getByRole('heading', { level: 1 }).waitFor()
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme })
    expect(await axeFindings(page), theme).toEqual([])
  }
  await page.setViewportSize({ width: widths.narrow, height: 640 })
  await settled(page)
  expect(await overflow(page)).toBe(0)
  await page.setViewportSize({ width: widths.wide, height: 900 })
  await page.emulateMedia({ colorScheme: 'light' })
})

test('the keyboard reaches the content, and Escape closes what is open', async () => {
  await page.goto(`${url}/keys`)
  await heading('Keys').waitFor()
  await page.keyboard.press('Tab')
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the content')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe('Create key')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await page.setViewportSize({ width: widths.narrow, height: 640 })
  await button('Open navigation').click()
  await page.getByRole('dialog', { name: 'Navigation' }).getByRole('link', { name: 'Providers' }).click()
  await heading('Providers').waitFor()
  await page.getByRole('dialog', { name: 'Navigation' }).waitFor({ state: 'hidden' })
  await page.setViewportSize({ width: widths.wide, height: 900 })
})

test('the provider is deleted, and the session ended', async () => {
  await page.goto(`${url}/providers`)
  await page.getByRole('link', { name: 'story', exact: true }).click()
  await button('Delete').click()
  await button('Delete provider').click()
  await heading('Providers').waitFor()
  await page.getByRole('link', { name: 'story', exact: true }).waitFor({ state: 'detached' })
  await button('Sign out').click()
  await heading('Sign in').waitFor()
  expect(await axeFindings(page)).toEqual([])
  await page.goto(`${url}/keys`)
  await heading('Sign in').waitFor()
  await page.getByLabel('Email').fill(owner.email)
  await page.getByLabel('Password').fill(owner.password)
  await button('Sign in').click()
  await heading('Keys').waitFor()
})

test.runIf(inject('real'))("a role for one's own keys meets no refusal, and leaves none behind", async () => {
  const { token, ada } = await addPerson(['keys:own', 'requests:own', 'models:read', 'tokens:own'])
  const refused: string[] = []
  const note = (response: Response) => {
    if (response.status() === 403) refused.push(response.url())
  }
  page.on('response', note)
  await button('Sign out').click()
  await page.getByLabel('Email').fill(ada.email)
  await page.getByLabel('Password').fill(owner.password)
  await button('Sign in').click()
  await heading('Overview').waitFor()
  const links = page.getByRole('navigation', { name: 'Main' }).getByRole('link')
  expect(await links.allTextContents()).toEqual(['Overview', 'Requests', 'Playground', 'Keys'])
  for (const name of ['Overview', 'Requests', 'Playground', 'Keys']) {
    await nav(name).click()
    await heading(name).waitFor()
    await settled(page)
  }
  await button('Create key').first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('Key of Ada')
  await dialog.getByRole('button', { name: 'Create key' }).click()
  await button('I have copied it').click()
  await page
    .getByRole('row', { name: /Key of Ada/ })
    .getByRole('button', { name: 'Revoke' })
    .waitFor()
  await nav('Overview').click()
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.setViewportSize({ width: widths.narrow, height: 640 })
  for (const path of ['/', '/keys', '/providers']) {
    await page.goto(`${url}${path}`)
    await page.getByRole('heading', { level: 1 }).waitFor()
    expect(await axeFindings(page), path).toEqual([])
    expect(await overflow(page), path).toBe(0)
    await shot(page, `story-role${path.replace('/', '-')}`)
  }
  await page.getByText('needs the permission providers:read').waitFor()
  page.off('response', note)
  expect(refused).toEqual([])
  expect(await ask(token, `/api/audit?event=access.denied&actor=${ada.id}`)).toMatchObject({ data: [] })
})

test('no page did what none may: errors, breaches of the policy, requests to elsewhere', () => {
  expect(faults).toEqual([])
})

/** Asks the API as a program does. */
async function ask(token: string, path: string, body?: unknown) {
  const answer = await fetch(`${url}${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: body ? JSON.stringify(body) : null,
  })
  expect(answer.ok, `${path}: ${answer.status}`).toBe(true)
  return answer.json()
}

/** Ada, with a role that may so much, and the token of the owner who made her. */
async function addPerson(permissions: string[]) {
  const { access_token: token } = await ask('', '/api/auth/login', owner)
  await ask(token, '/api/roles', { name: 'developer', permissions })
  const email = 'ada@example.com'
  const ada = await ask(token, '/api/users', { email, password: owner.password, role: 'developer' })
  return { token, ada }
}

/** The address of the simulated OpenAI service, as its demo provider has it. */
async function demoBaseURL(): Promise<string> {
  await page.goto(`${url}/providers`)
  await page.getByRole('link', { name: 'demo-openai' }).click()
  const base = await page.getByLabel('Base URL').inputValue()
  expect(base).toMatch(/^http/)
  return base
}
