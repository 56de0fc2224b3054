import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { axeFindings, launch, overflow, shot, watch, widths } from './browser.ts'
import { buildProvider, freePort, type Running, startPoint, startProvider } from './point.ts'

/** Sign-in at an OpenID provider on another site, from the button to the page that was asked for. */
describe.runIf(inject('real'))('sign-in at a provider', () => {
  let point: Running
  let providerPort: number
  let page: Page
  let faults: string[]
  const closing: (() => Promise<unknown>)[] = []

  beforeAll(async () => {
    await buildProvider()
    const port = await freePort()
    providerPort = await freePort()
    point = await startPoint(port, {
      POINT_PUBLIC_URL: `http://127.0.0.1:${port}`,
      POINT_ADMIN_EMAIL: 'owner@example.com',
      POINT_ADMIN_PASSWORD: 'correct horse battery',
      POINT_OIDC_ISSUER: `http://localhost:${providerPort}`,
      POINT_OIDC_CLIENT_ID: 'point',
      POINT_OIDC_CLIENT_SECRET: 'only-for-tests',
      POINT_OIDC_SCOPES: 'openid email',
      POINT_OIDC_ROLES: 'staff=viewer',
      POINT_OIDC_NAME: 'Example ID',
    })
    closing.push(point.stop)
    const browser = await launch()
    closing.unshift(browser.close)
    page = await browser.context.newPage()
    page.setDefaultTimeout(20_000)
    faults = watch(page, point.url)
  })
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await shot(page, `failed-openid-${task.name.replaceAll(/\W+/g, '-')}`)
  })
  afterAll(async () => {
    for (const close of closing) await close()
  })

  const provider = () => page.getByRole('link', { name: 'Sign in with Example ID' })
  const account = (name: string) => page.getByRole('button', { name, exact: true })
  const refused = (words: string) => page.getByRole('alert').getByText(words).waitFor()

  test('while the provider is away, the page says so and takes a password', async () => {
    await page.goto(`${point.url}/keys`)
    await provider().click()
    await refused('The sign-in service does not answer.')
    await page.getByLabel('Password').waitFor()
    expect(await axeFindings(page)).toEqual([])
    if (process.env.SHOTS) await shot(page, 'openid-away')
    closing.push((await startProvider(providerPort, `${point.url}/api/auth/oidc/callback`)).stop)
  })

  test('who gives up there is told so', async () => {
    // Point asks a provider that was away again after five seconds.
    await expect
      .poll(
        async () => {
          await page.goto(`${point.url}/keys`)
          await provider().click()
          await page.waitForLoadState()
          return account('Cancel').isVisible()
        },
        { timeout: 20_000, interval: 500 },
      )
      .toBe(true)
    await account('Cancel').click()
    await refused('You did not sign in there.')
  })

  test('who is in no group is told whom to ask', async () => {
    await provider().click()
    await account('eve@example.com').click()
    await refused('You are in no group that may use Point.')
    expect(await axeFindings(page)).toEqual([])
    await page.setViewportSize({ width: widths.narrow, height: 640 })
    expect(await overflow(page)).toBe(0)
    if (process.env.SHOTS) await shot(page, 'openid-refused')
    await page.setViewportSize({ width: widths.wide, height: 900 })
  })

  test('who signs in there comes back to the page, with the role of the group', async () => {
    await page.goto(`${point.url}/keys`)
    await provider().waitFor()
    if (process.env.SHOTS) await shot(page, 'openid-button')
    await provider().click()
    expect(new URL(page.url()).origin).toBe(`http://localhost:${providerPort}`)
    await account('ada@example.com').click()
    await page.getByRole('heading', { name: 'Keys', level: 1 }).waitFor()
    expect(new URL(page.url()).pathname).toBe('/keys')
    if (process.env.SHOTS) await shot(page, 'openid-in')
    const me = await page.evaluate(async () => {
      const { access_token: token } = await (await fetch('/api/auth/refresh', { method: 'POST' })).json()
      return (await fetch('/api/auth/me', { headers: { authorization: `Bearer ${token}` } })).json()
    })
    expect(me).toMatchObject({ email: 'ada@example.com', role: 'viewer' })
  })

  test('signing out ends the session, and leads to the sign-in page', async () => {
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor()
    await page.goto(`${point.url}/keys`)
    await provider().waitFor()
    const elsewhere = faults.filter(
      (fault) => !fault.startsWith(`request to http://localhost:${providerPort}/`),
    )
    expect(elsewhere).toEqual([])
  })
})
