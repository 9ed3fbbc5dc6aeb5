import type { Environment } from '@marcbachmann/cel-js'
import { compileRegexp } from '../../go-regexp/go-regexp.ts'
import { GO_ESCAPES } from '../../value/go-quote.ts'
import { trimEndOf } from '../../value/trim-end.ts'
import { type FormatStyle, withFormat } from './format.ts'
import { isSameValue } from './values.ts'

const INT = 2 ** 31

/**
 * The functions that Flux adds to CEL: those of texts with `reverse`, lists as sets, and base64.
 *
 * @see github.com/fluxcd/pkg/runtime/cel expression.go
 */
export function withFlux(environment: Environment): Environment {
  return withEncoders(withSets(withStrings(environment, 'flux'))).registerFunction(
    'string.reverse(): string',
    (text: string) => [...text].reverse().join(''),
  )
}

/** `charAt`, `replace`, `format`, `strings.quote`, and patterns by Go's rules. @see github.com/google/cel-go/ext strings.go */
export function withStrings(environment: Environment, style: FormatStyle): Environment {
  const replace = (text: string, from: string, to: string, most = BigInt(INT)): string => {
    const parts = from === '' ? ['', ...text, ''] : text.split(from)
    const count = most < 0n ? parts.length : Math.min(Number(most), parts.length - 1)
    return (
      parts.slice(0, count + 1).join(to) +
      parts
        .slice(count + 1)
        .map((part) => from + part)
        .join('')
    )
  }
  return withFormat(environment, style)
    .registerFunction('string.charAt(int): string', (text: string, index: bigint) => {
      const points = [...text]
      if (index < 0n || index > BigInt(points.length)) throw new Error(`index out of range: ${index}`)
      return points[Number(index)] ?? ''
    })
    .registerFunction('string.replace(string, string): string', replace)
    .registerFunction('string.replace(string, string, int): string', replace)
    .registerFunction(
      'matches(string, string): bool',
      (text: string, pattern: string) => findFirst(text, pattern) !== undefined,
    )
    .registerType('kubernetes.strings', StringsLibrary)
    .registerConstant('strings', 'kubernetes.strings', new StringsLibrary())
    .registerFunction('kubernetes.strings.quote(string): string', (_: unknown, text: string) => quoted(text))
}

/** Lists as sets. @see github.com/google/cel-go/ext sets.go */
export function withSets(environment: Environment): Environment {
  const has = (list: readonly unknown[], wanted: unknown): boolean => list.some((each) => isSameValue(each, wanted))
  const contains = (all: readonly unknown[], some: readonly unknown[]): boolean => some.every((each) => has(all, each))
  const sets = 'kubernetes.sets'
  return environment
    .registerType(sets, SetsLibrary)
    .registerConstant('sets', sets, new SetsLibrary())
    .registerFunction(`${sets}.contains(list<dyn>, list<dyn>): bool`, (_: unknown, a: unknown[], b: unknown[]) =>
      contains(a, b),
    )
    .registerFunction(
      `${sets}.equivalent(list<dyn>, list<dyn>): bool`,
      (_: unknown, a: unknown[], b: unknown[]) => contains(a, b) && contains(b, a),
    )
    .registerFunction(`${sets}.intersects(list<dyn>, list<dyn>): bool`, (_: unknown, a: unknown[], b: unknown[]) =>
      b.some((each) => has(a, each)),
    )
}

/** Base64, whose padding may be left out. @see github.com/google/cel-go/ext encoders.go */
function withEncoders(environment: Environment): Environment {
  const base64 = 'flux.base64'
  return environment
    .registerType(base64, Base64Library)
    .registerConstant('base64', base64, new Base64Library())
    .registerFunction(`${base64}.encode(bytes): string`, (_: unknown, bytes: Uint8Array) =>
      Buffer.from(bytes).toString('base64'),
    )
    .registerFunction(`${base64}.decode(string): bytes`, (_: unknown, text: string) => new Uint8Array(decoded(text)))
}

/** How a key stands in the path of a JSON patch. @see k8s.io/apiserver/pkg/cel/library/jsonpatch.go */
export function withPatches(environment: Environment): Environment {
  const library = 'kubernetes.jsonpatch'
  return environment
    .registerType(library, PatchLibrary)
    .registerConstant('jsonpatch', library, new PatchLibrary())
    .registerFunction(`${library}.escapeKey(string): string`, (_: unknown, key: string) =>
      key.replaceAll('~', '~0').replaceAll('/', '~1'),
    )
}

function decoded(text: string): Buffer {
  const digits = trimEndOf(text.replace(/[\r\n]/g, ''), '=')
  const wrong = digits.search(/[^A-Za-z0-9+/]/)
  if (wrong < 0 && digits.length % 4 !== 1) return Buffer.from(digits, 'base64')
  throw new Error(`illegal base64 data at input byte ${wrong < 0 ? digits.length - 1 : wrong}`)
}

/** What the functions of a library are called on. */
class StringsLibrary {}
class SetsLibrary {}
class Base64Library {}
class PatchLibrary {}

/** The leftmost match by Go's rules. */
export function findFirst(text: string, pattern: string): string | undefined {
  const [from = -1, to = -1] = compileRegexp(pattern).find(text)?.slots ?? []
  return from < 0 ? undefined : text.slice(from, to)
}

const quoted = (text: string): string => `"${[...text].map((each) => GO_ESCAPES[each] ?? each).join('')}"`
