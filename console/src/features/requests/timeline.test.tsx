import { render, screen } from '@testing-library/react'
import { expect, test } from 'vitest'
import { recordOf } from '~/testing/fake-answers'
import { Timeline } from './timeline'

const base = recordOf('1', 'gpt-4o-mini', 0)
const attempt = { provider_id: 'p', provider: 'far', model: 'gpt-4o-mini', start_ms: 0, duration_ms: 0 }

test('an attempt at the very end still has a bar within the picture', () => {
  const failed = { error: 'provider_unavailable', status: 503 }
  const attempts = [
    { ...attempt, ...failed },
    { ...attempt, ...failed, start_ms: 271 },
  ]
  const { container } = render(
    <Timeline request={{ ...base, attempts, response_time: 271, outcome: 'upstream_error' }} />,
  )
  for (const bar of container.querySelectorAll('rect')) {
    const [x, width] = ['x', 'width'].map((name) => Number(bar.getAttribute(name)))
    expect(width).toBeGreaterThan(0)
    expect((x ?? 0) + (width ?? 0)).toBeLessThanOrEqual(100)
  }
})

test('an answer that broke off after a good start is told as broken', () => {
  const attempts = [{ ...attempt, duration_ms: 100, status: 200 }]
  render(<Timeline request={{ ...base, attempts, response_time: 300, outcome: 'truncated' }} />)
  expect(screen.getByText('Cut off')).toBeTruthy()
})
