import { screen } from '@testing-library/react'
import { expect, test } from 'vitest'
import { usedPoint } from '~/testing/fake-data'
import { FakePoint } from '~/testing/fake-point'
import { openPage } from '~/testing/render'

const wait = { timeout: 5000 }

function atProvider(path: string) {
  const fake = new FakePoint({ data: usedPoint(Date.now()) })
  fake.openID = 'Example ID'
  openPage(path, fake, false)
}

test('the way to the provider is there if the API says so, and leads back to the page', async () => {
  atProvider('/sign-in?next=%2Fproviders%3Fq%3Da')
  const link = await screen.findByRole('link', { name: 'Sign in with Example ID' }, wait)
  expect(link.getAttribute('href')).toBe(
    'https://point.example/api/auth/oidc/start?next=%2Fproviders%3Fq%3Da',
  )
  expect(screen.getByLabelText('Password')).toBeTruthy()
})

test('without a provider there is the password alone', async () => {
  openPage('/sign-in', new FakePoint({ data: usedPoint(Date.now()) }), false)
  expect(await screen.findByLabelText('Password', {}, wait)).toBeTruthy()
  expect(screen.queryByRole('link', { name: /Sign in with/ })).toBeNull()
  expect(screen.queryByRole('alert')).toBeNull()
})

test.each([
  ['role', /You are in no group/],
  ['expired', /took too long/],
  ['<b>anything</b>', /Something went wrong/],
])('why it came to nothing is told in words: %s', async (code, words) => {
  atProvider(`/sign-in?error=${encodeURIComponent(code)}`)
  expect((await screen.findByRole('alert', {}, wait)).textContent).toMatch(words)
  expect(document.body.textContent).not.toContain('anything')
})
