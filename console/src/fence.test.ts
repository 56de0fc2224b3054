import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { expect, test } from 'vitest'

/** What each folder may import; features/<entity> is a folder of its own. */
const allowed: Record<string, string[]> = {
  lib: ['lib'],
  ui: ['lib', 'ui'],
  features: ['lib', 'ui'],
  app: ['lib', 'ui', 'features', 'app'],
  testing: ['lib', 'app', 'testing'],
}

const root = import.meta.dirname

/** "features/keys" of "features/keys/list.tsx", "lib" of "lib/queries/keys.ts". */
function folderOf(path: string): string {
  const [first = '', second = ''] = path.split('/')
  return first === 'features' ? `${first}/${second}` : first
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const found = text.matchAll(/(?:from\s+|import\(|import\s+)'([^']+)'/g)
  return [...found].flatMap(([, name = '']) => {
    if (name.startsWith('~/')) return name.slice(2)
    return name.startsWith('.') ? posix.join(posix.dirname(file), name) : []
  })
}

test('imports go down: app, features, ui, lib; features never import features', () => {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (file) => /\.tsx?$/.test(file) && file.includes('/'),
  )
  expect(files.length).toBeGreaterThan(40)
  const breaches = files
    .filter((file) => !/\.test\.tsx?$/.test(file))
    .flatMap((file) => {
      const own = folderOf(file)
      return importsOf(file)
        .filter(
          (target) =>
            folderOf(target) !== own &&
            !allowed[own.split('/')[0] ?? '']?.includes(target.split('/')[0] ?? ''),
        )
        .map((target) => `${file} imports ${target}`)
    })
  expect(breaches).toEqual([])
})

test('the client is generated from the document as it is now', () => {
  const text = readFileSync(join(root, 'lib/api.gen.ts'), 'utf8')
  const document: { paths: Record<string, unknown> } = JSON.parse(
    readFileSync(join(root, '../../api/openapi.json'), 'utf8'),
  )
  const missing = Object.keys(document.paths).filter((path) => !text.includes(`"${path}"`))
  expect(missing, 'run npm run generate').toEqual([])
})

test('lib/paths.ts alone spells the paths of pages', () => {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (file) => /^(app|features|ui)\/.*(?<!\.test)\.tsx$/.test(file) && file !== 'app/routes.tsx',
  )
  const spelled = files.filter((file) => /\bto(=|: )["'{]+\//.test(readFileSync(join(root, file), 'utf8')))
  expect(spelled).toEqual([])
})
