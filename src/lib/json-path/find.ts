import { isObject, type Json } from '../kube/json.ts'
import { JsonPathError, type Step, type Steps } from './parse.ts'

/** The first value that a path finds; undefined where it finds none, or the value is not of the shape that it asks for. */
export function firstAt(value: Json, path: Steps): Json | undefined {
  try {
    return follow([value], path)[0]
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error
    return undefined
  }
}

const follow = (values: readonly Json[], path: Steps): Json[] =>
  path.reduce<Json[]>((found, step) => take(found, step), [...values])

function take(values: readonly Json[], step: Step): Json[] {
  switch (step.kind) {
    case 'text':
      return typeof step.value === 'string' ? [step.value] : values.map(() => step.value)
    case 'field':
      return values.flatMap((value) => ownField(value, step.name))
    case 'wildcard':
      return values.flatMap(partsOf)
    case 'recursive':
      return values.flatMap(allBelow)
    case 'slice':
      return values.flatMap((value) => (value === null ? [] : sliced(value, step)))
    case 'union':
      return step.parts.flatMap((part) => follow(values, part))
    case 'filter':
      return values.flatMap((value) => {
        if (!Array.isArray(value)) throw new JsonPathError('not a list, cannot be filtered')
        return value.filter((item) => passes(item, step))
      })
    case 'word':
      throw new JsonPathError('a range has no one value')
  }
}

function ownField(value: Json, name: string): Json[] {
  const found = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  return found === undefined ? [] : [found]
}

function partsOf(value: Json): Json[] {
  if (Array.isArray(value)) return value
  return isObject(value) ? Object.values(value).filter((each) => each !== undefined) : []
}

/** Everything that has something in it, the outer before the inner. */
function allBelow(value: Json): Json[] {
  const parts = partsOf(value)
  return parts.length === 0 ? [] : [value, ...parts.flatMap(allBelow)]
}

function sliced(value: Json, { from, to, step = 1, isOne }: Step & { readonly kind: 'slice' }): Json[] {
  if (!Array.isArray(value)) throw new JsonPathError('not a list')
  const { length } = value
  const start = from === undefined ? 0 : from < 0 ? from + length : from
  const written = isOne ? (from ?? 0) + 1 : (to ?? length)
  const end = written < 0 || (written === 0 && isOne) ? written + length : written
  if (start === end) return []
  if (start < 0 || start >= length || end < 0 || end > length || start > end)
    throw new JsonPathError('array index out of bounds')
  if (step <= 0) throw new JsonPathError('step must be > 0')
  return value.slice(start, end).filter((_, index) => index % step === 0)
}

function passes(item: Json, { left, operator, right }: Step & { readonly kind: 'filter' }): boolean {
  if (operator === 'exists') return existsAt(item, left)
  const lefts = follow([item], left)
  if (lefts.length === 0) return false
  if (lefts.length > 1) throw new JsonPathError('can only compare one element at a time')
  const rights = follow([item], right)
  if (rights.length === 0) return false
  if (rights.length > 1) throw new JsonPathError('can only compare one element at a time')
  return compares(lefts[0] ?? null, operator, rights[0] ?? null)
}

function existsAt(item: Json, path: Steps): boolean {
  try {
    return follow([item], path).length > 0
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error
    return true
  }
}

const kindOf = (value: Json): string =>
  typeof value === 'number' ? (Number.isInteger(value) ? 'int' : 'float') : typeof value

/** Only values of one kind are compared, and only those that have an order. */
function compares(left: Json, operator: string, right: Json): boolean {
  const kind = kindOf(left)
  if (kind === 'object' || kind !== kindOf(right)) throw new JsonPathError('incompatible types for comparison')
  if (operator === '==') return left === right
  if (operator === '!=') return left !== right
  if (kind === 'boolean' || left === null || right === null) throw new JsonPathError('invalid type for comparison')
  const isText = typeof left === 'string' && typeof right === 'string'
  const order = isText ? Buffer.compare(Buffer.from(left), Buffer.from(right)) : Number(left) - Number(right)
  switch (operator) {
    case '<':
      return order < 0
    case '>':
      return order > 0
    case '<=':
      return order <= 0
    case '>=':
      return order >= 0
    default:
      throw new JsonPathError(`unrecognized filter operator ${operator}`)
  }
}
