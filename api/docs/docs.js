// The page of the API's document: every operation of /api/openapi.json, with a form that sends
// it. Nothing is loaded from elsewhere, and the token is kept in this page alone.

const byId = (id) => document.getElementById(id)

/** Makes an element; children are elements or text, never markup. */
function el(name, props = {}, ...children) {
  const node = Object.assign(document.createElement(name), props)
  node.append(...children.filter((child) => child !== undefined && child !== ''))
  return node
}

const response = await fetch('/api/openapi.json')
const spec = await response.json()
const methods = ['get', 'post', 'put', 'patch', 'delete']

/** Follows a reference within the document, such as #/components/schemas/Key. */
const deref = (node) => (node?.$ref ? (spec.components[node.$ref.split('/')[2]]?.[node.$ref.split('/')[3]] ?? {}) : (node ?? {}))

/** An example of what a schema describes; sent tells what is written apart from what is read. */
function exampleOf(schema, sent, depth = 0) {
  const s = deref(schema)
  const given = s.examples?.[0] ?? s.example ?? s.default ?? s.const ?? s.enum?.[0]
  if (given !== undefined) return given
  const choice = (s.anyOf ?? s.oneOf ?? s.allOf)?.[0]
  if (choice) return exampleOf(choice, sent, depth)
  const type = [s.type].flat().find((one) => one !== 'null')
  if (type === 'object' || s.properties) return depth > 6 ? {} : objectOf(s, sent, depth)
  if (type === 'array') return depth > 6 ? [] : [exampleOf(s.items, sent, depth + 1)]
  if (type === 'integer' || type === 'number') return s.minimum ?? 0
  if (type === 'boolean') return false
  if (type === 'string') return texts[s.format] ?? 'text'
  return null
}

const texts = {
  'date-time': '2026-01-31T12:00:00Z',
  uuid: '01890000-0000-7000-8000-000000000000',
  email: 'you@example.com',
  uri: 'https://example.com',
}

function objectOf(s, sent, depth) {
  const visible = Object.entries(s.properties ?? {}).filter(([, p]) => (sent ? !deref(p).readOnly : !deref(p).writeOnly))
  const wanted = sent && s.required ? visible.filter(([name]) => s.required.includes(name)) : visible
  return Object.fromEntries(wanted.map(([name, p]) => [name, exampleOf(p, sent, depth + 1)]))
}

const pretty = (value) => JSON.stringify(value, null, 2)

/** The field of a parameter: a choice if there are few values, else a line of text. */
function field(param, id) {
  const s = deref(param.schema)
  const shown = param.example ?? s.examples?.[0]
  const input = s.enum
    ? el('select', { id }, ...['', ...s.enum].map((value) => el('option', { value }, String(value))))
    : el('input', { id, placeholder: shown === undefined ? '' : `such as ${shown}`, autocomplete: 'off' })
  input.required = Boolean(param.required)
  const label = el('label', { htmlFor: id }, param.name, ' ', el('small', {}, `${param.in}${param.required ? ', required' : ''}`))
  return { param, input, nodes: [label, input, param.description ? el('small', {}, param.description) : ''] }
}

/** What a form says to send. */
function requestOf(method, path, fields, body) {
  const query = new URLSearchParams()
  const headers = {}
  let url = path
  for (const { param, input } of fields) {
    const value = input.value
    if (param.in === 'path') url = url.replace(`{${param.name}}`, encodeURIComponent(value))
    else if (value !== '' && param.in === 'query') query.set(param.name, value)
    else if (value !== '') headers[param.name] = value
  }
  if (body?.value) headers['Content-Type'] = 'application/json'
  return { method: method.toUpperCase(), url: query.size ? `${url}?${query}` : url, headers, body: body?.value || undefined }
}

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`

/** The request as a command. The token stays out of it: it would end in a shell's history. */
function curlOf(request, needsToken) {
  const headers = Object.entries(request.headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`)
  if (needsToken) headers.unshift('-H "Authorization: Bearer $POINT_TOKEN"')
  const data = request.body ? [`--data ${quoted(request.body)}`] : []
  return [`curl -i -X ${request.method} ${quoted(location.origin + request.url)}`, ...headers, ...data].join(' \\\n  ')
}

/** Sends a request and shows what comes back, as it comes. */
async function send(request, needsToken, out, signal) {
  const token = byId('token').value.trim()
  const headers = needsToken && token ? { ...request.headers, Authorization: `Bearer ${token}` } : request.headers
  const started = performance.now()
  const answer = await fetch(request.url, { method: request.method, headers, body: request.body, signal, redirect: 'manual', credentials: 'same-origin' })
  const took = Math.round(performance.now() - started)
  if (answer.type === 'opaqueredirect') {
    out.replaceChildren(el('p', {}, 'It sends the browser on to another page. ', el('a', { href: request.url }, 'Go there')))
    return
  }
  const status = el('p', { className: answer.ok ? '' : 'bad' }, el('strong', {}, `${answer.status} ${answer.statusText}`), ` in ${took} ms`)
  const body = el('pre', { tabIndex: 0 })
  const names = el('pre', { tabIndex: 0 }, [...answer.headers].map(([name, value]) => `${name}: ${value}`).join('\n'))
  out.replaceChildren(status, el('h3', {}, 'Body'), body, el('h3', {}, 'Headers'), names)
  await show(answer, body)
}

async function show(answer, body) {
  if (!answer.headers.get('content-type')?.startsWith('text/event-stream')) {
    const text = await answer.text()
    try {
      body.textContent = pretty(JSON.parse(text))
    } catch {
      body.textContent = text || 'empty'
    }
    return
  }
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
  for (let part = await reader.read(); !part.done; part = await reader.read()) body.append(part.value)
}

function answersOf(operation) {
  return Object.entries(operation.responses ?? {}).map(([status, given]) => {
    const answer = deref(given)
    if (answer['x-codes']) return refusalOf(status, answer)
    const content = Object.entries(answer.content ?? {})[0]
    const example = content && content[1].schema && (content[1].example ?? exampleOf(content[1].schema, false))
    const text = typeof example === 'string' ? example : example === undefined ? '' : pretty(example)
    return el('div', {}, el('h3', {}, status, ' ', el('small', {}, answer.description ?? '')), text ? el('pre', { tabIndex: 0 }, text) : '')
  })
}

/** An error answer: each of its codes, with what it means. */
function refusalOf(status, answer) {
  const [first] = Object.values(answer.content)
  const lines = Object.entries(first.examples).map(([code, given]) => el('li', {}, el('code', {}, code), ' ', el('small', {}, deref(given).summary)))
  return el('div', {}, el('h3', {}, status), el('ul', {}, ...lines))
}

/** The inside of an operation, made when it is opened. */
function inside(method, path, operation) {
  const id = operation.operationId
  const needsToken = Boolean(operation.security?.length)
  const fields = (operation.parameters ?? []).filter((p) => p.in !== 'cookie').map((p) => field(p, `${id}-${p.in}-${p.name}`))
  const media = operation.requestBody?.content?.['application/json']
  const body = media && el('textarea', { id: `${id}-body`, spellcheck: false, value: pretty(media.example ?? exampleOf(media.schema, true)) })
  const out = el('div', { ariaLive: 'polite' })
  const go = el('button', { type: 'submit' }, 'Send')
  const stop = el('button', { type: 'button', disabled: true }, 'Stop')
  const copy = el('button', { type: 'button' }, 'Copy as curl')
  const form = el('form', {}, ...fields.flatMap((f) => f.nodes), ...(body ? [el('label', { htmlFor: body.id }, 'Body ', el('small', {}, 'JSON')), body] : []), go, stop, copy)
  const current = () => requestOf(method, path, fields, body)
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const end = new AbortController()
    stop.onclick = () => end.abort()
    go.disabled = true
    stop.disabled = false
    try {
      await send(current(), needsToken, out, end.signal)
    } catch (error) {
      out.append(el('p', { className: 'bad' }, error.name === 'AbortError' ? 'Stopped.' : `No answer: ${error.message}`))
    }
    go.disabled = false
    stop.disabled = true
  })
  copy.addEventListener('click', async () => {
    const text = curlOf(current(), needsToken)
    await navigator.clipboard?.writeText(text).catch(() => {})
    out.replaceChildren(el('h3', {}, 'As a command'), el('pre', { tabIndex: 0 }, text))
  })
  const needs = needsToken ? `Needs the permission ${operation['x-permission']}.` : 'Needs no sign-in.'
  const more = operation.description && !operation.description.startsWith('Needs') ? el('p', {}, operation.description) : ''
  const answers = el('details', {}, el('summary', {}, 'Answers'), el('div', {}, ...answersOf(operation)))
  return el('div', {}, el('p', { className: 'soft' }, needs), more, form, out, answers)
}

function line(method, path, operation) {
  const summary = el('summary', {}, el('b', {}, method.toUpperCase()), el('span', { className: 'path' }, path), el('span', { className: 'soft' }, operation.summary ?? ''))
  const node = el('details', { id: operation.operationId }, summary)
  node.dataset.text = `${method} ${path} ${operation.summary} ${operation.tags}`.toLowerCase()
  node.addEventListener('toggle', () => {
    if (node.open && node.children.length === 1) node.append(inside(method, path, operation))
  })
  return node
}

function sections() {
  const tags = new Map()
  for (const [path, item] of Object.entries(spec.paths)) {
    for (const method of methods.filter((one) => item[one])) {
      const tag = item[method].tags?.[0] ?? 'other'
      tags.set(tag, [...(tags.get(tag) ?? []), line(method, path, item[method])])
    }
  }
  return [...tags].map(([tag, lines]) => el('section', {}, el('h2', {}, tag), ...lines))
}

byId('routes').replaceChildren(...sections())
byId('filter').addEventListener('input', (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/)
  for (const section of byId('routes').children) {
    const lines = [...section.querySelectorAll(':scope > details')]
    for (const node of lines) node.hidden = !words.every((word) => node.dataset.text.includes(word))
    section.hidden = lines.every((node) => node.hidden)
  }
})
byId('access').addEventListener('submit', async (event) => {
  event.preventDefault()
  const answer = await fetch('/api/auth/refresh', { method: 'POST', credentials: 'same-origin' })
  const text = answer.ok ? 'The session of the console is used, for 15 minutes.' : 'There is no open session: sign in at the console first.'
  if (answer.ok) byId('token').value = (await answer.json()).access_token
  byId('who').replaceChildren(text)
})

const asked = location.hash && byId(decodeURIComponent(location.hash.slice(1)))
if (asked instanceof HTMLDetailsElement) {
  asked.open = true
  asked.scrollIntoView()
}
