/** Point's mark: a ring and the point in it. */
export function Mark({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 24 24" aria-hidden className={className}>
      <circle cx="12" cy="12" r="9.25" fill="none" stroke="var(--accent)" strokeWidth="2.25" />
      <circle cx="12" cy="12" r="4.25" fill="var(--mark)" />
    </svg>
  )
}
