import type { FieldType } from '../../../src/lib/kube-schema/schema.ts'
import { schemaFor } from '../../../src/lib/kube-schema/builtin.ts'

/** A changed copy of an object, what was changed, and the same change as a JSON patch of the object. */
export type Mutation = { readonly what: string; readonly object: unknown; readonly patch: readonly object[] }

type Step = string | number
type Tree = Record<string, unknown> | unknown[]

const STRINGS: readonly unknown[] = ['', 'Not_Valid!', 'a'.repeat(64), '../x', '-', 'a.b', 7, null, ['a'], { a: 'b' }]
const NUMBERS: readonly unknown[] = [-1, 0, 70_000, 2_147_483_648, '5', 1.5, null, true]
const SHARES: readonly unknown[] = [-1, 0, '150%', 'abc', '-5%', '0%', 1.5, true]
const FLAGS: readonly unknown[] = ['true', 1, null]
const AMOUNTS: readonly unknown[] = ['-1', '0', '1.0005', 'abc', 3, '', true]
const MOMENTS: readonly unknown[] = ['yesterday', '2026-01-01', '2026-01-01T00:00:00+02:00', 5, '']

/** Every object that differs from the given one in one place: a field gone, odd or new. */
export function mutationsOf(object: Readonly<Record<string, unknown>>): Mutation[] {
  const type = schemaFor(String(object['apiVersion']), String(object['kind']))
  if (type === undefined) throw new Error(`no schema of ${String(object['kind'])}`)
  const out: Mutation[] = []
  const add = (path: readonly Step[], value: unknown): void => {
    const copy = structuredClone(object)
    put(copy, path, value)
    out.push({
      what: `${path.join('.')} = ${value === undefined ? '(gone)' : JSON.stringify(value).slice(0, 80)}`,
      object: copy,
      patch: [patchOf(path, value)],
    })
  }
  visit(type, object, [], add)
  return out
}

type Add = (path: readonly Step[], value: unknown) => void

function visit(type: FieldType, value: unknown, path: readonly Step[], add: Add): void {
  if (path.length > 0) for (const odd of oddFor(type, value)) add(path, odd)
  if (path[0] === 'metadata' && path.length > 1) return
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      add([...path, index], undefined)
      if (type.element !== undefined) visit(type.element, item, [...path, index], add)
    })
  } else if (typeof value === 'object' && value !== null) visitMap(type, value as Record<string, unknown>, path, add)
}

function visitMap(type: FieldType, value: Record<string, unknown>, path: readonly Step[], add: Add): void {
  for (const name of Object.keys(value)) {
    add([...path, name], undefined)
    const child = type.child(name)
    if (child !== undefined) visit(child, value[name], [...path, name], add)
  }
  if (type.names.length === 0) {
    add([...path, 'Bad Key!'], type.child('')?.special === 'quantity' ? '1' : 'x')
    return
  }
  add([...path, 'unknownField'], 1)
  if (path[0] === 'metadata') return
  for (const name of type.names) {
    const child = type.child(name)
    if (name in value || child === undefined || (path.length === 0 && name === 'status')) continue
    for (const fresh of freshFor(child)) add([...path, name], fresh)
  }
}

function oddFor(type: FieldType, value: unknown): readonly unknown[] {
  switch (type.special) {
    case 'quantity':
      return AMOUNTS
    case 'intOrString':
      return SHARES
    case 'time':
    case 'microTime':
      return MOMENTS
    case 'bytes':
      return ['***', 'YQ', 5]
    default:
  }
  if (Array.isArray(value)) return [[], [...value, ...value.slice(0, 1)], 'x', {}, [null], null]
  if (typeof value === 'object' && value !== null) return [{}, 'x', [], null]
  if (typeof value === 'string') return STRINGS
  return typeof value === 'number' ? NUMBERS : FLAGS
}

function freshFor(type: FieldType): readonly unknown[] {
  switch (type.special) {
    case 'quantity':
      return ['1', '-1']
    case 'intOrString':
      return [1, '5%', 'x']
    case 'time':
    case 'microTime':
      return ['2026-01-01T00:00:00Z']
    case 'bytes':
      return ['YQ==']
    default:
  }
  if (type.kind === 'list')
    return [[], type.element?.kind === 'scalar' ? [type.element.schema.type === 'integer' ? 1 : 'x'] : [{}]]
  if (type.kind === 'map' || type.kind === 'any') return [{}]
  if (type.schema.type === 'string') return ['x', 'Odd Value', '']
  if (type.schema.type === 'boolean') return [true, false]
  return [1, -1, 0]
}

function patchOf(path: readonly Step[], value: unknown): object {
  const pointer = path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
  if (value === undefined) return { op: 'remove', path: pointer }
  return { op: typeof path.at(-1) === 'number' ? 'replace' : 'add', path: pointer, value }
}

function put(root: unknown, path: readonly Step[], value: unknown): void {
  let here = root as Tree
  for (const step of path.slice(0, -1)) here = (here as Record<Step, Tree>)[step] as Tree
  const last = path.at(-1) as Step
  if (value !== undefined) (here as Record<Step, unknown>)[last] = structuredClone(value)
  else if (Array.isArray(here)) here.splice(Number(last), 1)
  else delete here[last]
}
