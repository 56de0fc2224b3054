import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import axe from 'axe-core'
import { type BrowserContext, chromium, type Page } from 'playwright-core'

export const widths = { wide: 1280, middle: 768, narrow: 320 } as const
const shots = join(import.meta.dirname, 'shots')
const dist = join(import.meta.dirname, '../dist')

/** A fresh browser with a folder of its own; close removes both. */
export async function launch(): Promise<{ context: BrowserContext; close: () => Promise<void> }> {
  const profile = await mkdtemp(join(tmpdir(), 'point-e2e-'))
  await mkdir(shots, { recursive: true })
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
    viewport: { width: widths.wide, height: 900 },
    colorScheme: 'light',
    reducedMotion: 'reduce',
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  return {
    context,
    close: async () => {
      await context.close()
      await rm(profile, { recursive: true, force: true })
    },
  }
}

/** Everything that no page may do: errors in its console, a breach of the policy, a request to elsewhere. */
export function watch(page: Page, url: string): string[] {
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`))
  page.on('console', (message) => {
    // Chromium notes every 4xx answer as an error; those that belong to a story are no fault.
    if (message.type() === 'error' && !message.text().includes('Failed to load resource'))
      faults.push(`console: ${message.text()}`)
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) faults.push(`request to ${request.url()}`)
  })
  page.on('dialog', (dialog) => faults.push(`dialog: ${dialog.message()}`))
  return faults
}

/** The gzipped bytes of JavaScript that the page asks for from now on, whatever is in a cache. */
export function countScripts(page: Page): () => number {
  const scripts = new Map<string, number>()
  page.on('request', (request) => {
    const { pathname } = new URL(request.url())
    if (pathname.startsWith('/assets/') && pathname.endsWith('.js'))
      scripts.set(pathname, gzipSync(readFileSync(join(dist, pathname)), { level: 9 }).length)
  })
  return () => [...scripts.values()].reduce((sum, size) => sum + size, 0)
}

/** What axe finds serious or critical, one line each. */
export async function axeFindings(page: Page): Promise<string[]> {
  await settled(page)
  // Evaluated through the debugger, which the page's policy does not bind.
  await page.evaluate(axe.source)
  const results = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run(document))
  return results.violations
    .filter((violation) => violation.impact === 'serious' || violation.impact === 'critical')
    .flatMap((violation) =>
      violation.nodes.map((node) => `${violation.id}: ${node.target.join(' ')}: ${node.failureSummary}`),
    )
}

/** How far the page can be scrolled sideways, in px. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
}

/** Waits until no skeleton stands, the fonts are there, and nothing moves any more. */
export async function settled(page: Page): Promise<void> {
  // What was just changed shows, and begins to move, within two frames.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
  await page.waitForFunction(
    () =>
      !document.querySelector('[aria-label="Loading"]') &&
      document.fonts.status === 'loaded' &&
      document.getAnimations().every((animation) => animation.playState !== 'running'),
  )
}

export function shot(page: Page, name: string): Promise<Buffer> {
  return page.screenshot({ path: join(shots, `${name}.png`), fullPage: true })
}
