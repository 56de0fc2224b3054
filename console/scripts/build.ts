import { existsSync, readFileSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { Plugin, Rolldown } from 'vite'

/** Compressed JavaScript that a first visit may load: the frame and the largest page. */
const budget = 200_000

/** Fails a build whose first load is over the budget. */
export function firstLoadBudget(): Plugin {
  return {
    name: 'point:first-load-budget',
    apply: 'build',
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter((file) => file.type === 'chunk')
      const entry = chunks.find((chunk) => chunk.isEntry)
      if (!entry) this.error('there is no entry chunk')
      const pages = entry.dynamicImports.map((page) => ({
        page,
        size: weigh(bundle, [entry.fileName, page]),
      }))
      const frame = weigh(bundle, [entry.fileName])
      const worst = pages.sort((a, b) => b.size - a.size)[0] ?? { page: 'none', size: frame }
      this.info(
        `first load: frame ${kilo(frame)}, with ${worst.page} ${kilo(worst.size)} of ${kilo(budget)} gzipped`,
      )
      if (worst.size > budget)
        this.error(`first load is over its budget of ${kilo(budget)}: load more of it later`)
    },
  }
}

/** The gzipped size of chunks and of all they import statically, each counted once. */
function weigh(bundle: Rolldown.OutputBundle, roots: string[]): number {
  const seen = new Set<string>()
  const visit = (name: string) => {
    const file = bundle[name]
    if (seen.has(name) || file?.type !== 'chunk') return
    seen.add(name)
    file.imports.forEach(visit)
  }
  roots.forEach(visit)
  return [...seen].reduce((sum, name) => {
    const file = bundle[name]
    return file?.type === 'chunk' ? sum + gzipSync(file.code, { level: 9 }).length : sum
  }, 0)
}

function kilo(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`
}

/** Writes a .gz and a .br beside every text file that shrinks by it, for the server to send as they are. */
export function precompress(): Plugin {
  let dir = ''
  return {
    name: 'point:precompress',
    apply: 'build',
    configResolved(config) {
      dir = config.build.outDir
    },
    async closeBundle() {
      const files = await readdir(dir, { recursive: true })
      await Promise.all(
        files
          .filter((file) => /\.(js|css|html|svg|json|txt)$/.test(file))
          .map((file) => compress(join(dir, file))),
      )
    },
  }
}

async function compress(path: string): Promise<void> {
  const raw = await readFile(path)
  if (raw.length < 1024) return
  await writeFile(`${path}.gz`, gzipSync(raw, { level: 9 }))
  await writeFile(`${path}.br`, brotliCompressSync(raw, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }))
}

/** Writes licenses.txt: the licence of every package that has code or a font in the build. */
export function licenses(): Plugin {
  return {
    name: 'point:licenses',
    apply: 'build',
    generateBundle() {
      const dirs = [...this.getModuleIds()].flatMap(
        (id) => id.match(/^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? [],
      )
      const styles = [
        'tailwindcss',
        '@fontsource-variable/hanken-grotesk',
        '@fontsource-variable/geist-mono',
      ].map((name) => join('node_modules', name))
      const texts = [...new Set([...dirs, ...styles])]
        .filter((dir) => existsSync(join(dir, 'package.json')))
        .map(licence)
      this.emitFile({
        type: 'asset',
        fileName: 'licenses.txt',
        source: texts.sort().join(`\n\n${'-'.repeat(80)}\n\n`),
      })
    },
  }
}

function licence(dir: string): string {
  const about: { name: string; version: string; license: string } = JSON.parse(
    readFileSync(join(dir, 'package.json'), 'utf8'),
  )
  const file = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license', 'LICENCE']
    .map((name) => join(dir, name))
    .find(existsSync)
  return `${about.name} ${about.version} (${about.license})\n\n${file ? readFileSync(file, 'utf8').trim() : ''}`
}
