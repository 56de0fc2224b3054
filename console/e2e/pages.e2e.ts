import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type FakeData, usedPoint } from '../src/testing/fake-data.ts'
import { FakePoint, owner } from '../src/testing/fake-point.ts'
import { axeFindings, countScripts, launch, overflow, settled, shot, watch, widths } from './browser.ts'
import { serveFake } from './server.ts'

/** Every page over the same invented data, in each theme and width. */
const pages: [name: string, path: string][] = [
  ['overview', '/'],
  ['overview-week', '/?span=week'],
  ['requests', '/requests'],
  ['requests-none', '/requests?model=none-such'],
  ['request', '/requests/01939f00-0000-7000-8000-000000001004'],
  ['playground', '/playground'],
  ['providers', '/providers'],
  ['provider-kinds', '/providers/new'],
  ['provider-new', '/providers/new?kind=openai'],
  ['provider', '/providers/01939f00-0000-7000-8000-000000000001'],
  ['provider-locked', '/providers/01939f00-0000-7000-8000-000000000004'],
  ['endpoints', '/endpoints'],
  ['endpoint', '/endpoints/01939f00-0000-7000-8000-000000000100'],
  ['keys', '/keys'],
  ['alerts', '/alerts'],
  ['not-found', '/nowhere'],
]

describe.skipIf(inject('real'))('every page', () => {
  let context: BrowserContext
  let page: Page
  let url: string
  let faults: string[]
  const closing: (() => unknown)[] = []

  beforeAll(async () => {
    const served = await serveFake(new FakePoint({ data: usedPoint(Date.now()) }))
    const browser = await launch()
    closing.push(served.close, browser.close)
    url = served.url
    context = browser.context
    page = await context.newPage()
    faults = watch(page, url)
    await page.goto(`${url}/sign-in`)
    await page.getByLabel('Email').fill(owner.email)
    await page.getByLabel('Password').fill(owner.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
  })
  afterAll(async () => {
    for (const close of closing) await close()
  })

  /** The overview over other data, in a tab of its own. */
  async function openSignedIn(data: FakeData): Promise<Page> {
    const served = await serveFake(new FakePoint({ data }))
    closing.push(served.close)
    const tab = await context.newPage()
    await tab.goto(`${served.url}/sign-in`)
    await tab.getByLabel('Email').fill(owner.email)
    await tab.getByLabel('Password').fill(owner.password)
    await tab.getByRole('button', { name: 'Sign in' }).click()
    await tab.getByRole('heading', { name: 'Overview' }).waitFor()
    return tab
  }

  for (const [name, path] of pages) {
    test(name, async () => {
      await page.goto(`${url}${path}`)
      await page.getByRole('heading', { level: 1 }).waitFor()
      for (const theme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: theme })
        expect(await axeFindings(page), theme).toEqual([])
        for (const [size, width] of Object.entries(widths)) {
          await page.setViewportSize({ width, height: width < 500 ? 640 : 900 })
          await settled(page)
          expect(await overflow(page), `${width} px wide`).toBe(0)
          // Pictures are for people: SHOTS=1 npm run e2e.
          if (process.env.SHOTS) await shot(page, `${name}-${theme}-${size}`)
        }
        // 320 px less a scrollbar that takes room.
        await page.setViewportSize({ width: 305, height: 640 })
        expect(await overflow(page), 'beside a scrollbar').toBe(0)
        // What is left out where it is wide may be wrong where it is narrow; the theme changes nothing of it.
        if (theme === 'light') expect(await axeFindings(page), 'narrow').toEqual([])
        await page.setViewportSize({ width: widths.wide, height: 900 })
      }
      expect(faults).toEqual([])
    })
  }

  // The build weighs what a page imports; here counts all that it loads by itself.
  test.each(pages)('%s loads no more JavaScript than a first visit may', async (_, path) => {
    const tab = await context.newPage()
    const bytes = countScripts(tab)
    await tab.goto(`${url}${path}`)
    await tab.getByRole('heading', { level: 1 }).waitFor()
    await settled(tab)
    // The network never rests, for there is a stream of events: half a second tells as much.
    await tab.waitForTimeout(500)
    expect(bytes()).toBeGreaterThan(50_000)
    expect(bytes()).toBeLessThanOrEqual(200_000)
    await tab.close()
  })

  test('a tiny cost stays on its line, and fast answers have an axis that tells them apart', async () => {
    const data = usedPoint(Date.now())
    for (const request of data.requests) Object.assign(request, { cost: null, response_time: 1 })
    if (data.requests[0]) data.requests[0].cost = '0.0000732'
    const tab = await openSignedIn(data)
    const cost = tab.getByText('$0.0000732', { exact: true }).first()
    for (const [size, width] of Object.entries(widths)) {
      await tab.setViewportSize({ width, height: 900 })
      await settled(tab)
      const room = await cost.evaluate((node) => [node.scrollWidth - node.clientWidth, node.clientHeight])
      expect(room[0], `${width} px wide`).toBe(0)
      expect(room[1]).toBeLessThan(40)
      if (process.env.SHOTS) await shot(tab, `tiny-cost-${size}`)
    }
    await tab.close()
  })

  test('a new key is seen whole beside its button, and asks before it is gone', async () => {
    const tab = await openSignedIn(usedPoint(Date.now()))
    await tab.setViewportSize({ width: widths.narrow, height: 640 })
    await tab.goto(`${new URL(tab.url()).origin}/keys`)
    await tab.getByRole('button', { name: 'Create key' }).click()
    const dialog = tab.getByRole('dialog')
    await dialog.getByText('Limits').click()
    if (process.env.SHOTS) await shot(tab, 'key-limits')
    await dialog.getByLabel('Name').fill('Narrow')
    await dialog.getByRole('button', { name: 'Create key' }).click()
    const code = await tab.getByRole('region', { name: 'Client key' }).boundingBox()
    const button = await tab.getByRole('button', { name: 'Copy client key' }).boundingBox()
    if (!code || !button) throw new Error('the key is not shown')
    expect(code.x + code.width).toBeLessThanOrEqual(button.x)
    await tab.keyboard.press('Escape')
    await tab.getByText('The key is not copied yet').waitFor()
    expect(await axeFindings(tab)).toEqual([])
    if (process.env.SHOTS) await shot(tab, 'key-warned')
    await tab.getByRole('button', { name: 'Copy client key' }).click()
    await tab.getByRole('button', { name: 'Copied', exact: true }).waitFor()
    await tab.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
    await tab.close()
  })

  test('typed changes are not lost without a question', async () => {
    const tab = await openSignedIn(usedPoint(Date.now()))
    await tab.goto(`${new URL(tab.url()).origin}/endpoints/01939f00-0000-7000-8000-000000000100`)
    await tab.getByLabel('Mapping as JSON').fill('{"strategy": "weighted"}')
    await tab.getByRole('link', { name: 'Keys' }).click()
    await tab.getByRole('alertdialog', { name: 'Leave without saving?' }).waitFor()
    expect(await axeFindings(tab)).toEqual([])
    if (process.env.SHOTS) await shot(tab, 'leave')
    await tab.getByRole('button', { name: 'Stay' }).click()
    expect(await tab.getByLabel('Mapping as JSON').inputValue()).toBe('{"strategy": "weighted"}')
    await tab.getByRole('link', { name: 'Keys' }).click()
    await tab.getByRole('button', { name: 'Leave' }).click()
    await tab.getByRole('heading', { name: 'Keys', level: 1 }).waitFor()
    await tab.close()
  })

  test('text from outside stays text, whatever it holds', async () => {
    const hostile = usedPoint(Date.now())
    poison(hostile)
    const tab = await openSignedIn(hostile)
    const served = new URL(tab.url()).origin
    const found = watch(tab, served)
    for (const [, path] of pages) {
      await tab.goto(`${served}${path}`)
      await tab.getByRole('heading', { level: 1 }).waitFor()
      await settled(tab)
      expect(
        await tab.locator('img, iframe, object, embed, [onerror], a[href^="javascript"]').count(),
        path,
      ).toBe(0)
    }
    await tab.close()
    expect(found).toEqual([])
  })
})

const payloads = [
  '<img src=x onerror=alert(1)>',
  '<script>alert(1)</script>',
  '"><svg/onload=alert(1)>',
  'javascript:alert(1)',
  '![x](https://elsewhere.example/leak)',
  '</title><iframe src=https://elsewhere.example>',
  '\u202egnp.exe \u001b[31m {{7*7}}',
]

/** Puts a payload into every text that comes from outside. */
function poison(data: FakeData): void {
  let n = 0
  const next = () => payloads[n++ % payloads.length] ?? ''
  for (const provider of data.providers)
    Object.assign(provider, { name: next(), provider: 'openai', health: { state: next(), message: next() } })
  for (const key of data.keys)
    Object.assign(key, { name: next(), prefix: next(), owner: next(), tags: [next()], models: [next()] })
  for (const alert of data.alerts)
    Object.assign(alert, { message: next(), subject: next(), severity: next(), detail: { text: next() } })
  for (const request of data.requests) {
    Object.assign(request, {
      model: next(),
      provider: next(),
      key: next(),
      error_code: next(),
      error_message: next(),
      request: { model: next() },
    })
    request.route = {
      reason: next(),
      rule: next(),
      skipped: [{ provider: next(), model: next(), reason: next() }],
    }
    for (const attempt of request.attempts)
      Object.assign(attempt, { provider: next(), model: next(), message: next(), error: next() })
  }
}
