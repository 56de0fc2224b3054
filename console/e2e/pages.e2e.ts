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

  test('text from outside stays text, whatever it holds', async () => {
    const hostile = usedPoint(Date.now())
    poison(hostile)
    const served = await serveFake(new FakePoint({ data: hostile }))
    closing.push(served.close)
    const tab = await page.context().newPage()
    const found = watch(tab, served.url)
    await tab.goto(`${served.url}/sign-in`)
    await tab.getByLabel('Email').fill(owner.email)
    await tab.getByLabel('Password').fill(owner.password)
    await tab.getByRole('button', { name: 'Sign in' }).click()
    await tab.getByRole('heading', { name: 'Overview' }).waitFor()
    for (const [, path] of pages) {
      await tab.goto(`${served.url}${path}`)
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
