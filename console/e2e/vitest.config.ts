import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Stories in a real browser, against POINT_URL, or against the built console over a fake Point. */
export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  resolve: { alias: { '~': fileURLToPath(new URL('../src', import.meta.url)) } },
  test: {
    include: ['e2e/*.e2e.ts'],
    globalSetup: ['e2e/server.ts'],
    // One story after the other: they share one Point, and the first one sets it up.
    fileParallelism: false,
    // A story stands on those before it, so the first that fails is the one to look at.
    bail: 1,
    sequence: { shuffle: false },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
