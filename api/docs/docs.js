// The page of the API's document: every operation of /api/openapi.json, with a form that sends
// it. Nothing is loaded from elsewhere, and the token is kept in this page alone.

const byId = (id) => document.getElementById(id)

/** Makes an element; children are elements or text, never markup. */
function el(name, props = {}, ...children) {
  const node = Object.assign(document.createElement(name), props)
  node.append(...children.filter((child) => child !== undefined && child !== ''))
  return node
}

/** The document; undefined if Point does not send it. */
const spec = await fetch('/api/openapi.json').then(
  (answer) => (answer.ok ? answer.json() : undefined),
  () => undefined,
)
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

/** A text in which `what` stands between grave accents as code. */
const rich = (text) => text.split('`').map((part, i) => (i % 2 ? el('code', {}, part) : part))

/** What a value must be, in a few words. */
function ruleOf(s) {
  const type = [s.type].flat().filter(Boolean).map((one) => (one === 'array' ? `${[deref(s.items).type].flat()[0]} list` : one))
  const from = s.minimum ?? s.minLength
  const to = s.maximum ?? s.maxLength ?? s.maxItems
  const unit = s.maxLength ? ' characters' : s.maxItems ? ' items' : ''
  const range = to === undefined ? '' : from === undefined ? `at most ${to}${unit}` : `${from} to ${to}${unit}`
  const pattern = s['x-pattern-description'] ?? deref(s.items)['x-pattern-description']
  return [s.enum ? s.enum.join(' | ') : type.join(' or '), /^(int|float|double)/.test(s.format) ? '' : s.format, pattern ?? range, s.default === undefined ? '' : `default ${JSON.stringify(s.default)}`].filter(Boolean).join(', ')
}

/** The field of a parameter: a choice if there are few values, else a line of text. */
function field(param, id) {
  const s = deref(param.schema)
  const shown = param.example ?? s.examples?.[0] ?? deref(s.items).examples?.[0]
  const input = s.enum
    ? el('select', { id }, el('option', { value: '' }, 'not sent'), ...s.enum.map((value) => el('option', { value }, String(value))))
    : el('input', { id, placeholder: shown === undefined ? '' : `such as ${shown}`, autocomplete: 'off', spellcheck: false })
  input.required = Boolean(param.required)
  input.setAttribute('aria-describedby', `${id}-help`)
  const label = el('label', { htmlFor: id }, param.name, ' ', el('small', {}, `${param.in}${param.required ? ', required' : ''}`))
  const rule = s.enum ? '' : ruleOf(s)
  const help = el('small', { id: `${id}-help` }, ...rich(param.description ?? ''), param.description && rule ? ' ' : '', rule && `(${rule})`)
  return { param, input, node: el('div', {}, label, input, help) }
}

/** The members of a body, with what each must be; those of members within them too. */
function membersOf(schema, depth = 0) {
  const s = deref(schema)
  const lines = Object.entries(s.properties ?? {})
    .filter(([, given]) => !deref(given).readOnly)
    .map(([name, given]) => {
      const member = { ...deref(given), ...given }
      const must = [s.required?.includes(name) ? 'required' : '', ruleOf(member)].filter(Boolean).join(', ')
      const within = depth < 4 ? (membersOf(given, depth + 1) ?? (deref(given).items && membersOf(deref(given).items, depth + 1))) : ''
      return el('li', {}, el('code', {}, name), ' ', el('small', {}, must, member.description ? '. ' : '', ...rich(member.description ?? '')), within || '')
    })
  return lines.length ? el('ul', {}, ...lines) : undefined
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
  const given = token.value.trim()
  const headers = needsToken && given ? { ...request.headers, Authorization: `Bearer ${given}` } : request.headers
  const started = performance.now()
  const answer = await fetch(request.url, { method: request.method, headers, body: request.body, signal, redirect: 'manual', credentials: 'same-origin' })
  const took = Math.round(performance.now() - started)
  if (answer.type === 'opaqueredirect') {
    out.say('It sends the browser on to another page. ', el('a', { href: request.url }, 'Go there'))
    return
  }
  out.say(el('strong', { className: answer.ok ? '' : 'bad' }, `${answer.status} ${answer.statusText}`.trim()), ` in ${took} ms`, adviceOn(answer.status, needsToken, given))
  const body = el('div')
  const names = el('pre', { tabIndex: 0, ariaLabel: 'Headers', role: 'region' }, [...answer.headers].map(([name, value]) => `${name}: ${value}`).join('\n'))
  out.show(el('h3', {}, 'Body'), body, el('h3', {}, 'Headers'), names)
  await show(answer, body)
}

/** What to do about an answer that has no access. */
function adviceOn(status, needsToken, given) {
  if (status !== 401 || !needsToken) return ''
  const missing = given ? '. The token is not valid, or no longer: ' : '. No access token was sent: '
  return el('span', {}, missing, el('a', { href: '#token', onclick: toToken }, given ? 'replace it' : 'give one'), '.')
}

function toToken(event) {
  event.preventDefault()
  token.focus()
}

/** Shows a body: text as it comes, JSON in lines, anything else as a file to save. */
async function show(answer, body) {
  const type = answer.headers.get('content-type') ?? ''
  if (type && !/^text\/|json/.test(type)) {
    const file = URL.createObjectURL(await answer.blob())
    const name = /filename="?([^";]+)/.exec(answer.headers.get('content-disposition') ?? '')?.[1] ?? 'answer'
    body.append(el('a', { href: file, download: name }, `Save ${name}`))
    return
  }
  const text = el('pre', { tabIndex: 0, ariaLabel: 'Body', role: 'region' })
  body.append(text)
  if (!type.startsWith('text/event-stream')) {
    text.textContent = lined(await answer.text())
    return
  }
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
  for (let part = await reader.read(); !part.done; part = await reader.read()) text.append(part.value)
}

function lined(text) {
  try {
    return pretty(JSON.parse(text))
  } catch {
    return text || 'empty'
  }
}

/** What an operation answers: each success with an example, then each refusal by its code. */
function answersOf(operation) {
  const given = Object.entries(operation.responses ?? {}).map(([status, answer]) => [status, deref(answer)])
  const refusals = given.filter(([, answer]) => answer['x-codes']).flatMap(([status, answer]) => refusalsOf(status, answer))
  const successes = given.filter(([, answer]) => !answer['x-codes']).map(([status, answer]) => successOf(status, answer))
  return refusals.length ? [...successes, el('h3', {}, 'Refusals'), el('ul', {}, ...refusals)] : successes
}

function successOf(status, answer) {
  const content = Object.entries(answer.content ?? {})[0]
  const example = content && content[1].schema && (content[1].example ?? exampleOf(content[1].schema, false))
  const text = typeof example === 'string' ? example : example === undefined ? '' : pretty(example)
  return el('div', {}, el('h3', {}, status, ' ', el('small', {}, answer.description ?? '')), text ? el('pre', { tabIndex: 0, ariaLabel: `Example of ${status}`, role: 'region' }, text) : '')
}

/** The codes of an error answer, with what each means. */
function refusalsOf(status, answer) {
  const [first] = Object.values(answer.content)
  return Object.entries(first.examples).map(([code, given]) => el('li', {}, `${status} `, el('code', {}, code), ' ', el('small', {}, deref(given).summary)))
}

/** Where an operation's answers go: a line that is read aloud, and what belongs to it. */
function outlet() {
  const line = el('p', { role: 'status' })
  const rest = el('div')
  const say = (...what) => {
    line.replaceChildren(...what)
    rest.replaceChildren()
  }
  return { nodes: [line, rest], say, show: (...what) => rest.replaceChildren(...what), add: (...what) => line.append(...what) }
}

/** A part of an operation that is closed at first. */
const folded = (title, ...content) => el('details', {}, el('summary', {}, title), el('div', {}, ...content))

/** The text of a body, as high as the example in it. */
function bodyField(id, media) {
  const value = pretty(media.example ?? exampleOf(media.schema, true))
  const rows = Math.min(Math.max(value.split('\n').length + 1, 4), 24)
  const input = el('textarea', { id: `${id}-body`, spellcheck: false, value, rows })
  return { input, nodes: [el('label', { htmlFor: input.id }, 'Body ', el('small', {}, 'JSON')), input] }
}

/** The inside of an operation, made when it is opened. */
function inside(method, path, operation) {
  const id = operation.operationId
  const needsToken = Boolean(operation.security?.length)
  const fields = (operation.parameters ?? []).filter((p) => p.in !== 'cookie').map((p) => field(p, `${id}-${p.in}-${p.name}`))
  const media = operation.requestBody?.content?.['application/json']
  const body = media && bodyField(id, media)
  const out = outlet()
  const go = el('button', { type: 'submit' }, 'Send')
  const stop = el('button', { type: 'button', disabled: true }, 'Stop')
  const copy = el('button', { type: 'button' }, 'Copy as curl')
  const form = el('form', {}, el('div', { className: 'fields' }, ...fields.map((f) => f.node)), ...(body?.nodes ?? []), el('div', { className: 'actions send' }, go, stop, copy))
  const current = () => requestOf(method, path, fields, body?.input)
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    if (stop.disabled) await run(current(), needsToken, out, stop, go)
  })
  copy.addEventListener('click', async () => {
    const text = curlOf(current(), needsToken)
    const copied = await navigator.clipboard?.writeText(text).then(() => true, () => false)
    out.say(copied ? 'Copied.' : 'This browser does not let the page copy: take it from here.', needsToken ? ' Put the token into POINT_TOKEN first.' : '')
    out.show(el('pre', { tabIndex: 0, ariaLabel: 'As a command', role: 'region' }, text))
  })
  const members = media && membersOf(media.schema)
  const needs = el('p', { className: 'soft' }, ...rich(operation.description || 'Needs no sign-in.'))
  return el('div', {}, needs, form, ...out.nodes, members ? folded('Members of the body', members) : '', folded('Answers', ...answersOf(operation)))
}

/** Sends until there is an answer or Stop is pressed; a second time only after that. */
async function run(request, needsToken, out, stop, go) {
  const end = new AbortController()
  stop.onclick = () => end.abort()
  stop.disabled = false
  go.textContent = 'Sending'
  try {
    await send(request, needsToken, out, end.signal)
  } catch (error) {
    out.add(el('span', { className: 'bad' }, error.name === 'AbortError' ? ' Stopped.' : ` No answer: ${error.message}`))
  }
  go.textContent = 'Send'
  if (document.activeElement === stop) go.focus()
  stop.disabled = true
}

function line(method, path, operation) {
  const summary = el('summary', {}, el('b', { className: method }, method.toUpperCase()), el('span', { className: 'path' }, path), el('span', { className: 'soft' }, operation.summary ?? ''))
  const node = el('details', { id: operation.operationId }, summary)
  node.dataset.text = `${method} ${path} ${operation.summary} ${operation.tags} ${operation.operationId} ${operation['x-permission']}`.toLowerCase()
  node.addEventListener('toggle', () => {
    if (node.open && node.children.length === 1) node.append(inside(method, path, operation))
    if (node.open) history.replaceState(null, '', `#${node.id}`)
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
  const about = new Map(spec.tags?.map((tag) => [tag.name, tag.description]))
  return [...tags].map(([tag, lines]) => el('section', { id: `part-${tag}` }, el('h2', {}, tag, about.has(tag) ? el('small', { className: 'soft' }, about.get(tag)) : ''), ...lines))
}

/** Hides the routes that lack a word of the filter. */
function find() {
  const words = byId('filter').value.toLowerCase().split(/\s+/).filter(Boolean)
  const lines = [...byId('routes').querySelectorAll(':scope > section > details')]
  for (const node of lines) node.hidden = !words.every((word) => node.dataset.text.includes(word))
  for (const section of byId('routes').querySelectorAll(':scope > section')) {
    section.hidden = !section.querySelector(':scope > details:not([hidden])')
    byId('parts').querySelector(`[href="#${section.id}"]`).hidden = section.hidden
  }
  const left = lines.filter((node) => !node.hidden).length
  const all = el('button', { type: 'button', onclick: findAll }, 'Show all')
  const none = el('span', {}, 'No route has all of these words: take one away, or ')
  byId('found').replaceChildren(...(left ? [left === lines.length ? `${left} routes` : `${left} of ${lines.length} routes`] : [none, all]))
}

function findAll() {
  byId('filter').value = ''
  byId('filter').focus()
  find()
}

/** Says which token the requests carry. */
function who(text = '') {
  const given = token.value.trim()
  byId('who').replaceChildren(text || (given ? 'The token above is sent. It stays in this page alone.' : 'No token: only what needs no sign-in will answer.'))
}

/** Takes an access token for the console's session, and says when it runs out. */
async function useSession(event) {
  event.preventDefault()
  const answer = await fetch('/api/auth/refresh', { method: 'POST', credentials: 'same-origin' }).catch(() => undefined)
  if (!answer?.ok) {
    who(answer?.status === 401 ? el('span', {}, 'There is no open session: ', el('a', { href: '/sign-in' }, 'sign in at the console'), ' first.') : 'Point did not give a token: try again in a moment.')
    return
  }
  const { access_token: own, expires_in: seconds } = await answer.json()
  token.value = own
  who(`The session of the console is used, for ${Math.round(seconds / 60)} minutes.`)
  setTimeout(() => token.value === own && who('The session\'s token has run out: press "Use my session" again.'), seconds * 1000)
}

/** Opens the operation that the address names. */
function openAsked() {
  const asked = location.hash && byId(decodeURIComponent(location.hash.slice(1)))
  if (!(asked instanceof HTMLDetailsElement)) return
  asked.open = true
  asked.scrollIntoView()
  asked.querySelector('summary').focus({ preventScroll: true })
}

const token = byId('token')
byId('access').addEventListener('submit', useSession)
token.addEventListener('input', () => who())
who()
if (spec) {
  byId('routes').replaceChildren(...sections())
  byId('parts').append(...[...byId('routes').children].map(({ id }) => el('a', { href: `#${id}` }, id.slice('part-'.length))))
  byId('filter').addEventListener('input', find)
  find()
  addEventListener('hashchange', openAsked)
  openAsked()
} else {
  byId('routes').replaceChildren(el('p', { className: 'bad' }, 'Point did not send the document. ', el('a', { href: '/api/docs' }, 'Load the page again')))
}
