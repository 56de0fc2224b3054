import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { owner } from '../src/testing/fake-point.ts'
import { axeFindings, launch, overflow, shot, watch, widths } from './browser.ts'
import { freePort, type Running, startPoint } from './point.ts'

/** The API's document as a page. It is served by Point alone, so no fake answers here. */
describe.runIf(inject('real'))('the page of the API', () => {
  let point: Running
  let page: Page
  let faults: string[]
  const closing: (() => Promise<unknown>)[] = []

  beforeAll(async () => {
    point = await startPoint(await freePort(), {
      POINT_ADMIN_EMAIL: owner.email,
      POINT_ADMIN_PASSWORD: owner.password,
    })
    closing.push(point.stop)
    const browser = await launch()
    closing.unshift(browser.close)
    page = await browser.context.newPage()
    page.setDefaultTimeout(20_000)
    faults = watch(page, point.url)
  })
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await shot(page, `failed-docs-${task.name.replaceAll(/\W+/g, '-')}`)
  })
  afterAll(async () => {
    for (const close of closing) await close()
  })

  const button = (name: string) => page.getByRole('button', { name, exact: true })
  const routes = () => page.locator('main > section > details').filter({ visible: true })
  const operation = (id: string) => page.locator(`#${id}`)
  const send = (id: string) => operation(id).getByRole('button', { name: 'Send' }).click()
  const status = (id: string) => operation(id).getByRole('status')

  test('a filter finds routes, says how many, and what to do if there is none', async () => {
    await page.goto(`${point.url}/api/docs`)
    await page.getByText(/^\d+ routes$/).waitFor()
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the routes')
    await page.getByLabel('Find a route').fill('post keys rotate')
    await page.getByText(/^2 of \d+ routes$/).waitFor()
    expect(await routes().count()).toBe(2)
    await page.getByLabel('Find a route').fill('no such thing')
    await page.getByText('No route has all of these words').waitFor()
    expect(await axeFindings(page)).toEqual([])
    await button('Show all').click()
    await page.getByText(/^\d+ routes$/).waitFor()
  })

  test('without a token an answer says how to get one', async () => {
    await page.getByText('No token: only what needs no sign-in will answer.').waitFor()
    await operation('listProviders').locator('summary').first().press('Enter')
    await page.waitForURL(`${point.url}/api/docs#listProviders`)
    await send('listProviders')
    await status('listProviders').getByText('401 Unauthorized').waitFor()
    await operation('listProviders').getByRole('link', { name: 'give one' }).click()
    expect(await page.getByLabel('Access token').evaluate((node) => node === document.activeElement)).toBe(
      true,
    )
    await page.keyboard.type('pat-wrong')
    await page.getByText('The token above is sent.').waitFor()
    await button('Use my session').click()
    await page.getByText('There is no open session').waitFor()
  })

  test('a GET is sent with the session of the console', async () => {
    await page.getByRole('link', { name: 'sign in at the console' }).click()
    await page.getByLabel('Email').fill(owner.email)
    await page.getByLabel('Password').fill(owner.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    await page.goto(`${point.url}/api/docs#listRequests`)
    const requests = operation('listRequests')
    await requests
      .getByText("Needs the permission requests:read, or requests:own for what is one's own")
      .waitFor()
    await button('Use my session').click()
    await page.getByText('The session of the console is used, for 15 minutes.').waitFor()
    await requests.getByLabel('limit').fill('7')
    await send('listRequests')
    await status('listRequests').getByText('200 OK').waitFor()
    expect(await requests.getByRole('region', { name: 'Body' }).textContent()).toContain('"limit": 7')
    await requests.getByRole('button', { name: 'Copy as curl' }).click()
    await status('listRequests').getByText('Copied.').waitFor()
    const command = await page.evaluate(() => navigator.clipboard.readText())
    expect(command).toContain(`${point.url}/api/requests?limit=7`)
    expect(command).toContain('Bearer $POINT_TOKEN')
    await page.getByLabel('Access token').press('End')
    await page.keyboard.type('x')
    await page.getByText('The token above is sent.').waitFor()
  })

  test('a POST that is refused shows the problem', async () => {
    await button('Use my session').click()
    await page.getByText('The session of the console is used').waitFor()
    const create = operation('createProvider')
    await create.locator('summary').first().click()
    await create
      .getByLabel('Body')
      .fill('{"name": "not a name", "provider": "openai", "config": {"api_key": "sk-story-0123"}}')
    await send('createProvider')
    await status('createProvider').getByText('422 Unprocessable Entity').waitFor()
    const body = await create.getByRole('region', { name: 'Body' }).textContent()
    expect(JSON.parse(body ?? '')).toMatchObject({
      status: 422,
      code: 'invalid',
      errors: [{ location: 'body.name' }],
    })
    await create.getByText('application/problem+json').waitFor()
    await create.getByText('Members of the body').click()
    await create.getByText('Its kind, of /api/provider-kinds.').waitFor()
    await create.getByText('Answers', { exact: true }).click()
    await create.getByText('Another thing has this name.').waitFor()
  })

  test('it is sound in both themes, and fits', async () => {
    await page.getByLabel('Find a route').fill('createProvider')
    for (const theme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: theme })
      for (const width of [widths.wide, 1000, widths.narrow]) {
        await page.setViewportSize({ width, height: 900 })
        expect(await overflow(page), `${width} px wide`).toBe(0)
        // Pictures are for people: SHOTS=1 npm run e2e.
        if (process.env.SHOTS) await shot(page, `docs-${theme}-${width}`)
      }
      expect(await axeFindings(page), theme).toEqual([])
    }
    expect(faults).toEqual([])
  })
})
