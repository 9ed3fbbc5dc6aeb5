import { SluiceError } from '../../lib/error/sluice-error.ts'

/** A text with variables, read: texts and calls in turn. `operator` is '' for `${NAME}` alone, `#` without arguments for its length. */
export type Part =
  string | { readonly name: string; readonly operator: string; readonly args: readonly (readonly Part[])[] }

type Reader = { readonly chars: readonly string[]; pos: number; depth: number }

const DEEPEST = 100
const NAME = /[\p{L}\p{Nd}_]/u

/**
 * Reads a text as Flux's envsubst does, its oddities included: what stands behind an operator is one run of characters or one variable, never empty
 * but for defaults; the first operand of a replacement ends at the next slash, even behind a brace; escapes count in plain text (`$$`) and in
 * replacements (`\/`, `\\`, `$$`).
 *
 * @throws SluiceError KUSTOMIZE_BUILD in envsubst's words
 * @see https://github.com/fluxcd/pkg/tree/main/envsubst
 */
export function parseSubstitution(text: string): readonly Part[] {
  const s: Reader = { chars: [...text], pos: 0, depth: 0 }
  const parts: Part[] = []
  while (s.pos < s.chars.length) parts.push(opens(s) ? readCall(s) : (readRun(s, () => true, /^\$\$$/) ?? ''))
  return parts
}

const at = (s: Reader, ahead = 0): string => s.chars[s.pos + ahead] ?? ''
const opens = (s: Reader): boolean => at(s) === '$' && at(s, 1) === '{'

/** Characters as long as they are accepted and no variable begins; of an escape the second character counts, whatever it is. */
function readRun(s: Reader, accepts: (char: string) => boolean, escapes?: RegExp): string | undefined {
  let out = ''
  for (; s.pos < s.chars.length && !opens(s); s.pos++) {
    const isEscaped = escapes?.test(at(s) + at(s, 1)) ?? false
    if (isEscaped) s.pos++
    else if (!accepts(at(s))) break
    out += at(s)
  }
  return out === '' ? undefined : out
}

function readCall(s: Reader): Part {
  if (++s.depth > DEEPEST) throw fault('variables are nested too deep')
  s.pos += 2
  const part = at(s) === '#' ? readLength(s) : readOperation(s)
  s.depth--
  return part
}

function readLength(s: Reader): Part {
  s.pos++
  const name = readName(s, 'bad substitution')
  close(s, 'bad substitution')
  return { name, operator: '#', args: [] }
}

function readName(s: Reader, otherwise: string): string {
  let name = ''
  for (; NAME.test(at(s)); s.pos++) name += at(s)
  if (name === '') throw fault(otherwise)
  return name
}

function close(s: Reader, otherwise: string): void {
  if (at(s) !== '}') throw fault(otherwise)
  s.pos++
}

function readOperation(s: Reader): Part {
  const name = readName(s, 'unable to parse variable name')
  const [first, second] = [at(s), at(s, 1)]
  const take = (operator: string): string => {
    s.pos += operator.length
    return operator
  }
  if ((first === ':' && /[=\-?+]/.test(second)) || first === '=')
    return { name, operator: take(first === '=' ? '=' : first + second), args: readDefault(s) }
  if (first === ':') return { name, operator: take(':'), args: readSlice(s) }
  if (first === '/')
    return { name, operator: take(/[/#%]/.test(second) ? first + second : first), args: readReplace(s) }
  const doubled = second === first ? first + second : first
  if (first === '#' || first === '%') return { name, operator: take(doubled), args: readTrim(s) }
  if (first === '^' || first === ',') {
    const operator = take(/[\^,]/.test(second) ? first + second : first)
    close(s, 'bad substitution')
    return { name, operator, args: [] }
  }
  close(s, 'missing closing brace')
  return { name, operator: '', args: [] }
}

const inBrace = (char: string): boolean => char !== '}'

/** One operand: a run of characters, or one variable. */
function readOperand(s: Reader, accepts: (char: string) => boolean, escapes?: RegExp): readonly Part[] {
  if (opens(s)) return [readCall(s)]
  const run = readRun(s, accepts, escapes)
  if (run === undefined) throw fault('unable to parse substitution within function')
  return [run]
}

function readDefault(s: Reader): readonly (readonly Part[])[] {
  const args: (readonly Part[])[] = []
  while (at(s) !== '}') args.push(readOperand(s, inBrace))
  s.pos++
  return args
}

function readSlice(s: Reader): readonly (readonly Part[])[] {
  const from = readOperand(s, (char) => char !== ':' && char !== '}')
  if (at(s) === '}') {
    s.pos++
    return [from]
  }
  if (at(s) !== ':') throw fault('bad substitution')
  while (at(s) === ':') s.pos++
  const length = readOperand(s, inBrace)
  close(s, 'bad substitution')
  return [from, length]
}

function readTrim(s: Reader): readonly (readonly Part[])[] {
  const pattern = readOperand(s, inBrace)
  close(s, 'bad substitution')
  return [pattern]
}

const ESCAPES = /^(\$\$|\\[/\\])$/

function readReplace(s: Reader): readonly (readonly Part[])[] {
  const old = readOperand(s, (char) => char !== '/', ESCAPES)
  if (at(s) !== '/') throw fault('bad substitution')
  while (at(s) === '/') s.pos++
  if (at(s) === '}') {
    s.pos++
    return [old]
  }
  const fresh = readOperand(s, inBrace, ESCAPES)
  close(s, 'bad substitution')
  return [old, fresh]
}

/** What is wrong with a text, or with the value of a variable in it. */
export function fault(message: string): SluiceError {
  return new SluiceError('KUSTOMIZE_BUILD', `variable substitution failed: ${message}`, {
    where: 'spec.postBuild',
    hint: 'give the variable a value or a default, or write $${NAME} for the text itself',
  })
}
