// Sets the theme before the first paint; the rest is in src/lib/theme.ts.
;(() => {
  let choice = null
  try {
    choice = localStorage.getItem('point.theme')
  } catch {
    // Storage may be forbidden; then the system decides.
  }
  const dark = choice ? choice === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
})()
