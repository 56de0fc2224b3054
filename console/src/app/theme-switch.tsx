import { Monitor, Moon, Sun } from 'lucide-react'
import { useId } from 'react'
import { cx } from '~/lib/cx'
import { setTheme, useThemeChoice } from '~/lib/theme'

const choices = [
  { value: 'light', label: 'Light', icon: Sun },
  { value: 'dark', label: 'Dark', icon: Moon },
  { value: 'system', label: 'As the system', icon: Monitor },
] as const

/** Light, dark, or as the system says. */
export function ThemeSwitch() {
  const choice = useThemeChoice()
  const name = useId()
  return (
    <fieldset className="grid grid-cols-3 gap-0.5 rounded-md border border-line bg-page p-0.5">
      <legend className="sr-only">Theme</legend>
      {choices.map(({ value, label, icon: Icon }) => (
        <label
          key={value}
          title={label}
          className={cx(
            'grid h-7 cursor-pointer place-items-center rounded-sm has-focus-visible:outline-2 has-focus-visible:outline-accent',
            choice === value
              ? 'bg-surface text-ink shadow-[inset_0_0_0_1px_var(--line-strong)]'
              : 'text-ink-3 hover:text-ink',
          )}
        >
          <input
            type="radio"
            name={name}
            value={value}
            aria-label={label}
            checked={choice === value}
            onChange={() => setTheme(value)}
            className="sr-only"
          />
          <Icon aria-hidden className="size-3.5" />
        </label>
      ))}
    </fieldset>
  )
}
