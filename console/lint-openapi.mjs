// Lints the API's document by the strict public rules of Redocly, offline: node lint-openapi.mjs FILE.
// It fails if anything is found.
import { readFile } from 'node:fs/promises'
import { createConfig, formatProblems, lintFromString } from '@redocly/openapi-core'

const config = await createConfig({
  extends: ['recommended-strict'],
  rules: {
    // A sign-in at an OpenID provider answers with a redirect alone.
    'operation-2xx-response': 'off',
    // What the strict set leaves out.
    'no-invalid-media-type-examples': { severity: 'error', allowAdditionalProperties: false },
    'no-invalid-parameter-examples': { severity: 'error', allowAdditionalProperties: false },
    'no-invalid-schema-examples': { severity: 'error', allowAdditionalProperties: false },
    'operation-operationId': 'error',
    'operation-operationId-unique': 'error',
    'operation-parameters-unique': 'error',
    'operation-singular-tag': 'error',
    'operation-tag-defined': 'error',
    'parameter-description': 'error',
    'path-parameters-defined': 'error',
    'path-declaration-must-exist': 'error',
    'no-unused-components': 'error',
    'no-unresolved-refs': 'error',
    'tag-description': 'error',
    'tags-alphabetical': 'error',
  },
})
const [file] = process.argv.slice(2)
const source = await readFile(file, 'utf8')
const problems = await lintFromString({ source, absoluteRef: file, config })
formatProblems(problems, {
  format: 'stylish',
  totals: { errors: problems.length, warnings: 0, ignored: 0 },
  version: '',
})
process.exitCode = problems.length > 0 ? 1 : 0
