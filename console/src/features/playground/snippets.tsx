import { useState } from 'react'
import { cx } from '~/lib/cx'
import { curlExample, goExample, pythonExample, type SnippetInput, typescriptExample } from '~/lib/snippets'
import { CodeBlock } from '~/ui/copy'

const kinds = [
  { name: 'curl', make: curlExample },
  { name: 'Python', make: pythonExample },
  { name: 'TypeScript', make: typescriptExample },
  { name: 'Go', make: goExample },
] as const

/** The same request from a terminal or a program. */
export function Snippets(input: SnippetInput) {
  const [chosen, setChosen] = useState(0)
  const kind = kinds[chosen] ?? kinds[0]
  return (
    <div>
      <fieldset className="mb-3 flex flex-wrap gap-1">
        <legend className="sr-only">Language</legend>
        {kinds.map(({ name }, index) => (
          <button
            key={name}
            type="button"
            aria-pressed={index === chosen}
            onClick={() => setChosen(index)}
            className={cx(
              'h-8 rounded-md px-2.5 text-sm font-[550]',
              index === chosen ? 'bg-hover text-ink' : 'text-ink-3 hover:text-ink',
            )}
          >
            {name}
          </button>
        ))}
      </fieldset>
      <CodeBlock label={`Request with ${kind.name}`} code={kind.make(input)} />
    </div>
  )
}
