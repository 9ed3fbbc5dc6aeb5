/** A JSON text that Go does not read; the message is Go's. */
export class GoJsonError extends Error {}

const LITERALS: Readonly<Record<string, string>> = { t: 'true', f: 'false', n: 'null' }
/** Almost every string: nothing in it is escaped or wrong. */
const PLAIN_STRING = /"[^"\\\0-\x1f]*"/y
const SPACES = [...' \t\r\n'].map((sign) => sign.charCodeAt(0))
/** Go's decoder tells of no more. */
const MOST_DUPLICATES = 100
/** Deeper values are refused by Go's decoder. */
export const MAX_DEPTH = 10_000

/**
 * Checks a JSON text as Go's `encoding/json` does, and names keys that stand twice in one object, as paths: `data.a`, `spec.ports[0].name`.
 *
 * One pass over the text, no recursion; a hundred duplicates at most, as Go stops there.
 * @throws GoJsonError with Go's words, for example `unexpected end of JSON input`
 * @see https://pkg.go.dev/encoding/json and sigs.k8s.io/json
 */
export function scanGoJson(text: string): readonly string[] {
  const scanner = new Scanner(text)
  scanner.value()
  return scanner.duplicates
}

/**
 * The keys of a JSON text that stand twice, and those of `paths`, in the order in which a reader of the text meets them.
 *
 * @throws GoJsonError as {@link scanGoJson}
 */
export function orderInText(
  text: string,
  paths: readonly string[],
): readonly { readonly path: string; readonly isRepeated: boolean }[] {
  const scanner = new Scanner(text, paths)
  scanner.value()
  return scanner.met
}

/** An object or a list around the place that is read; `path` is the number of its path, once somebody asked for it. */
type Level = { readonly keys: Set<string> | undefined; name: string; index: number; path: number | undefined }

/** Numbers of paths, the same where the texts of the paths are: to write out the path of each key takes the square of a deep text. */
class PathNumbers {
  readonly #known = new Map<string, number>()

  /** The number of a path that goes on from another, or from the root (0), with some steps. */
  of(start: number, steps: string): number {
    let path = start
    for (const [piece] of steps.matchAll(/[.[]?[^.[]+|[.[]/g)) {
      const key = `${path} ${piece}`
      path = this.#known.get(key) ?? this.#known.size + 1
      this.#known.set(key, path)
    }
    return path
  }
}

/** A step as it is written in a path; no dot stands before the first one. */
const stepOf = ({ keys, name, index }: Level, depth: number): string =>
  keys === undefined ? `[${index}]` : depth === 0 ? name : `.${name}`

class Scanner {
  readonly duplicates: string[] = []
  readonly met: { path: string; isRepeated: boolean }[] = []
  readonly #numbers = new PathNumbers()
  readonly #repeated = new Set<number>()
  readonly #watched: Set<number>
  readonly #text: string
  readonly #levels: Level[] = []
  #at = 0
  #expectsValue = true

  constructor(text: string, watched: readonly string[] = []) {
    this.#text = text
    this.#watched = new Set(watched.map((path) => this.#numbers.of(0, path)))
  }

  value(): void {
    while (this.#expectsValue || this.#levels.length > 0)
      if (this.#expectsValue) this.#begin()
      else this.#next()
    this.#space()
    if (this.#at < this.#text.length) this.#fail('after top-level value')
  }

  /** Reads a scalar, or opens an object or a list. */
  #begin(): void {
    this.#expectsValue = false
    this.#space()
    const first = this.#text[this.#at]
    if (first === '{' || first === '[') {
      this.#at++
      const path = this.#levels.length === 0 ? 0 : undefined
      this.#levels.push({ keys: first === '{' ? new Set() : undefined, name: '', index: -1, path })
      if (this.#levels.length > MAX_DEPTH) throw new GoJsonError(`invalid character '${first}' exceeded max depth`)
      this.#space()
      if (this.#text[this.#at] === (first === '{' ? '}' : ']')) this.#close()
      else this.#member()
    } else if (first === '"') this.#string()
    else if (first !== undefined && /[-0-9]/.test(first)) this.#number()
    else if (first !== undefined && LITERALS[first] !== undefined) this.#literal(LITERALS[first])
    else this.#fail('looking for beginning of value')
  }

  /** After a value inside an object or a list: a comma, or the end. */
  #next(): void {
    const isObject = this.#levels.at(-1)?.keys !== undefined
    this.#space()
    const sign = this.#text[this.#at]
    if (sign === (isObject ? '}' : ']')) return this.#close()
    if (sign !== ',') this.#fail(isObject ? 'after object key:value pair' : 'after array element')
    this.#at++
    this.#member()
  }

  #close(): void {
    this.#at++
    this.#levels.pop()
  }

  #member(): void {
    const level = this.#levels.at(-1)
    if (level === undefined) return
    level.index++
    this.#expectsValue = true
    if (level.keys === undefined) return
    this.#space()
    if (this.#text[this.#at] !== '"') this.#fail('looking for beginning of object key string')
    level.name = this.#string()
    if (level.keys.has(level.name)) this.#repeat()
    else if (this.#watched.size > 0) this.#meet()
    level.keys.add(level.name)
    this.#space()
    if (this.#text[this.#at] !== ':') this.#fail('after object key')
    this.#at++
  }

  #path(): string {
    return this.#levels.map(stepOf).join('')
  }

  /** The number of the path of what is read; each level around it is numbered once. */
  #pathNumber(): number {
    let from = this.#levels.length - 1
    while (this.#levels[from]?.path === undefined && from > 0) from--
    let number = 0
    this.#levels.slice(from).forEach((level, below) => {
      level.path ??= number
      number = this.#numbers.of(level.path, stepOf(level, from + below))
    })
    return number
  }

  #repeat(): void {
    if (this.duplicates.length >= MOST_DUPLICATES) return
    const number = this.#pathNumber()
    if (this.#repeated.has(number)) return
    this.#repeated.add(number)
    const path = this.#path()
    this.duplicates.push(path)
    this.met.push({ path, isRepeated: true })
  }

  #meet(): void {
    if (this.#watched.delete(this.#pathNumber())) this.met.push({ path: this.#path(), isRepeated: false })
  }

  #string(): string {
    const start = this.#at
    PLAIN_STRING.lastIndex = start
    if (PLAIN_STRING.test(this.#text)) {
      this.#at = PLAIN_STRING.lastIndex
      return this.#text.slice(start + 1, this.#at - 1)
    }
    for (this.#at++; ; this.#at++) {
      const sign = this.#text[this.#at]
      if (sign === '"') break
      if (sign === undefined || sign < ' ') this.#fail('in string literal')
      if (sign === '\\') this.#escape()
    }
    this.#at++
    const raw = this.#text.slice(start, this.#at)
    return raw.includes('\\') ? String(JSON.parse(raw)) : raw.slice(1, -1)
  }

  #escape(): void {
    this.#at++
    const sign = this.#text[this.#at]
    if (sign === undefined || !/["\\/bfnrtu]/.test(sign)) this.#fail('in string escape code')
    if (sign !== 'u') return
    for (let digits = 0; digits < 4; digits++) {
      this.#at++
      if (!/^[0-9a-fA-F]$/.test(this.#text[this.#at] ?? '')) this.#fail('in \\u hexadecimal character escape')
    }
  }

  #number(): void {
    const digits = (where: string): void => {
      if (!/^[0-9]$/.test(this.#text[this.#at] ?? '')) this.#fail(where)
      while (/^[0-9]$/.test(this.#text[this.#at] ?? '')) this.#at++
    }
    if (this.#text[this.#at] === '-') this.#at++
    if (this.#text[this.#at] === '0') this.#at++
    else digits('in numeric literal')
    if (this.#text[this.#at] === '.') {
      this.#at++
      digits('after decimal point in numeric literal')
    }
    if (/^[eE]$/.test(this.#text[this.#at] ?? '')) {
      this.#at++
      if (/^[-+]$/.test(this.#text[this.#at] ?? '')) this.#at++
      digits('in exponent of numeric literal')
    }
  }

  #literal(word: string): void {
    for (let index = 0; index < word.length; index++, this.#at++)
      if (this.#text[this.#at] !== word[index]) this.#fail(`in literal ${word} (expecting '${word[index] ?? ''}')`)
  }

  #space(): void {
    while (SPACES.includes(this.#text.charCodeAt(this.#at))) this.#at++
  }

  #fail(where: string): never {
    const sign = this.#text[this.#at] ?? (isInWord(where) ? ' ' : undefined)
    if (sign === undefined) throw new GoJsonError('unexpected end of JSON input')
    throw new GoJsonError(`invalid character ${quoted(sign)} ${where}`)
  }
}

/** At the end Go looks whether a blank could stand there, which can where nothing has begun. */
const isInWord = (where: string): boolean => / (literal|escape)/.test(where) && where !== 'in string literal'

/** Of a sign beyond ASCII Go sees the first byte. */
function quoted(given: string): string {
  const sign = given < '\x80' ? given : String.fromCharCode(Buffer.from(given)[0] ?? 0)
  if (sign === "'") return `'\\''`
  if (sign === '"') return `'"'`
  const escaped = JSON.stringify(sign).slice(1, -1)
  return `'${escaped.replace(/^\\u00/, '\\x')}'`
}
