import { SluiceError } from '../../lib/error/sluice-error.ts'

type Scope = {
  readonly text: string
  readonly variables: ReadonlyMap<string, string>
  readonly isStrict: boolean
  pos: number
  depth: number
}

const MAX_DEPTH = 100

/**
 * Replaces `${NAME}` and its forms: `${NAME:=default}`, `${NAME:-default}`, `${#NAME}`, `${NAME^^}`, `${NAME:1:2}`, `${NAME#prefix}`,
 * `${NAME/old/new}`. `$${NAME}` is the text `${NAME}`.
 *
 * @throws SluiceError KUSTOMIZE_BUILD for a form that does not exist, and in strict mode for a variable without value and default
 * @see https://github.com/fluxcd/pkg/tree/main/envsubst
 */
export function substitute(text: string, variables: ReadonlyMap<string, string>, isStrict: boolean): string {
  return readText({ text, variables, isStrict, pos: 0, depth: 0 }, '')
}

/** Reads text up to one of the characters of `ends` (not consumed), or the end. */
function readText(s: Scope, ends: string): string {
  let out = ''
  while (s.pos < s.text.length) {
    const char = s.text[s.pos] ?? ''
    if (ends.includes(char) && ends !== '') return out
    if (char === '$' && s.text[s.pos + 1] === '$') {
      out += readEscaped(s)
    } else if (char === '$' && s.text[s.pos + 1] === '{') {
      s.pos += 2
      out += readExpression(s)
    } else if (char === '\\' && ends !== '' && ends !== '}' && ends.includes(s.text[s.pos + 1] ?? '\0')) {
      out += s.text[s.pos + 1]
      s.pos += 2
    } else {
      out += char
      s.pos++
    }
  }
  return out
}

/** `$${x}` stands for `${x}`, `$$x` for `$x`. */
function readEscaped(s: Scope): string {
  s.pos += 2
  return '$'
}

function readExpression(s: Scope): string {
  if (++s.depth > MAX_DEPTH) throw fault('variables are nested too deep')
  const isLength = s.text[s.pos] === '#'
  if (isLength) s.pos++
  const name = /^[A-Za-z0-9_]+/.exec(s.text.slice(s.pos, s.pos + 300))?.[0]
  if (name === undefined) throw fault('bad substitution')
  s.pos += name.length
  const value = readOperation(s, name, isLength)
  if (s.text[s.pos] !== '}') throw fault('missing closing brace')
  s.pos++
  s.depth--
  return value
}

function readOperation(s: Scope, name: string, isLength: boolean): string {
  if (isLength) return String([...valueOf(s, name)].length)
  const rest = s.text.slice(s.pos, s.pos + 2)
  if (rest.startsWith('}')) return valueOf(s, name)
  if (rest === ':=' || rest === ':-' || rest.startsWith('=') || rest.startsWith('-')) return readDefault(s, name, rest)
  if (rest.startsWith('^') || rest.startsWith(',')) return readCase(s, name, rest)
  if (rest === ':+' || rest === ':?' || rest.startsWith('+') || rest.startsWith('?')) throw fault('bad substitution')
  if (rest.startsWith(':')) return readSlice(s, name)
  if (rest.startsWith('#') || rest.startsWith('%')) return readTrim(s, name, rest)
  if (rest.startsWith('/')) return readReplace(s, name, rest)
  throw fault('bad substitution')
}

function valueOf(s: Scope, name: string): string {
  const value = s.variables.get(name)
  if (value !== undefined) return value
  if (s.isStrict) throw fault(`variable not set (strict mode): "${name}"`)
  return ''
}

function readDefault(s: Scope, name: string, operator: string): string {
  s.pos += operator.startsWith(':') ? 2 : 1
  const value = s.variables.get(name)
  const isGiven = value !== undefined && value !== ''
  const inner: Scope = { ...s, isStrict: s.isStrict && !isGiven }
  const fallback = readText(inner, '}')
  s.pos = inner.pos
  return isGiven ? value : fallback
}

function readCase(s: Scope, name: string, operator: string): string {
  const value = valueOf(s, name)
  const isAll = operator[0] === operator[1]
  s.pos += isAll ? 2 : 1
  const change = (text: string): string => (operator.startsWith('^') ? text.toUpperCase() : text.toLowerCase())
  return isAll ? change(value) : change(value.slice(0, 1)) + value.slice(1)
}

function readSlice(s: Scope, name: string): string {
  const value = valueOf(s, name)
  s.pos++
  const start = Number(readText(s, ':}').trim())
  let length: number | undefined
  if (s.text[s.pos] === ':') {
    s.pos++
    length = Number(readText(s, '}').trim())
  }
  if (!Number.isInteger(start) || (length !== undefined && !Number.isInteger(length))) return value
  // A negative start counts from the end, and no further than to the beginning.
  const from = start < 0 ? Math.max(value.length + start, 0) : start
  return length === undefined ? value.slice(from) : value.slice(from, from + length)
}

function readTrim(s: Scope, name: string, operator: string): string {
  const value = valueOf(s, name)
  const isLongest = operator[0] === operator[1]
  s.pos += isLongest ? 2 : 1
  const pattern = readText(s, '}')
  return operator.startsWith('#') ? trimPrefix(value, pattern, isLongest) : trimSuffix(value, pattern, isLongest)
}

function trimPrefix(value: string, pattern: string, isLongest: boolean): string {
  const matches = globTest(pattern)
  const lengths = Array.from({ length: value.length + 1 }, (_, index) => (isLongest ? value.length - index : index))
  const length = lengths.find((one) => matches(value.slice(0, one)))
  return length === undefined ? value : value.slice(length)
}

function trimSuffix(value: string, pattern: string, isLongest: boolean): string {
  const matches = globTest(pattern)
  const starts = Array.from({ length: value.length + 1 }, (_, index) => (isLongest ? index : value.length - index))
  const start = starts.find((one) => matches(value.slice(one)))
  return start === undefined ? value : value.slice(0, start)
}

/** A shell pattern of `*` and `?`. */
function globTest(pattern: string): (text: string) => boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.')
  const expression = new RegExp(`^${source}$`, 's')
  return (text) => expression.test(text)
}

function readReplace(s: Scope, name: string, operator: string): string {
  const value = valueOf(s, name)
  const kind = ['//', '/#', '/%'].includes(operator) ? operator : '/'
  s.pos += kind.length
  const old = readText(s, '/}')
  let fresh = ''
  if (s.text[s.pos] === '/') {
    s.pos++
    fresh = readText(s, '}')
  }
  if (kind === '//') return old === '' ? value : value.replaceAll(old, () => fresh)
  if (kind === '/#') return value.startsWith(old) ? fresh + value.slice(old.length) : value
  if (kind === '/%') return value.endsWith(old) ? value.slice(0, value.length - old.length) + fresh : value
  return old === '' ? value : value.replace(old, () => fresh)
}

function fault(message: string): SluiceError {
  return new SluiceError('KUSTOMIZE_BUILD', `variable substitution failed: ${message}`, {
    where: 'spec.postBuild',
    hint: 'give the variable a value or a default, or write $${NAME} for the text itself',
  })
}
