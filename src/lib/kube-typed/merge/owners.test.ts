import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadOne } from '../../yaml/load.ts'
import type { FieldType, Schema } from '../../kube-schema/schema.ts'
import { typeOf } from '../../kube-schema/schema.ts'
import { equal, type Json, type JsonObject, isObject } from '../../kube/json.ts'
import { OwnershipConflict, type Outcome, ownApply, type Owners, ownUpdate } from './owners.ts'
import { emptySet, insert, renderPaths } from './path-set.ts'
import { MergeError } from './typed-value.ts'

type Fixture = {
  file: string
  test: string
  name: string
  schema: string
  ops: { op: 'Apply' | 'ForceApply' | 'Update'; manager: string; obj: string; conflict: boolean }[]
  object: string | null
  managed: Record<string, string[][]> | null
}
const file = join(process.env.SLUICE_CONFORMANCE ?? '../shared/conformance', 'ssa/structured-merge-diff.json')
const fixtures: Fixture[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []

if (fixtures.length === 0) test('structured merge fixtures', { skip: `no data at ${file}` }, () => {})
for (const fixture of fixtures) test(`merge ${fixture.test}/${fixture.name}`, () => run(fixture))

function run({ schema, ops, object, managed }: Fixture): void {
  const type = typeFrom(schema)
  let live: Json = {}
  let owners: Owners = new Map()
  for (const { op, manager, obj, conflict } of ops) {
    const value = (loadOne(obj) ?? {}) as Json
    try {
      const result: Outcome =
        op === 'Update'
          ? ownUpdate(type, live, value, owners, manager)
          : ownApply(type, live, value, owners, manager, { force: op === 'ForceApply' })
      assert.equal(conflict, false, 'expected a conflict')
      live = result.value
      owners = result.owners
    } catch (error) {
      if (!(error instanceof OwnershipConflict || error instanceof MergeError)) throw error
      assert.equal(conflict, true, `unexpected conflict: ${error.message}`)
    }
  }
  if (object !== null) {
    const want = (loadOne(object) ?? {}) as Json
    assert.ok(equal(live ?? {}, want ?? {}), `got ${JSON.stringify(live)} want ${JSON.stringify(want)}`)
  }
  if (managed !== null) {
    const got = Object.fromEntries([...owners].map(([manager, { set }]) => [manager, renderPaths(set)]))
    const want = Object.fromEntries(
      Object.entries(managed).map(([manager, paths]) => {
        const set = emptySet()
        for (const path of paths) insert(set, path)
        return [manager, renderPaths(set)]
      }),
    )
    assert.deepEqual(got, want)
  }
}

function typeFrom(text: string): FieldType {
  const parsed = loadOne(text)
  assert.ok(isObject(parsed))
  const types = parsed.types as JsonObject[]
  const resolve = (ref: string): Schema | undefined => {
    const found = types.find(({ name }) => name === ref)
    return found === undefined ? undefined : convert(found)
  }
  return typeOf(convert(types[0] ?? {}), resolve)
}

function convert(node: Json | undefined): Schema {
  if (!isObject(node)) return {}
  if (typeof node.namedType === 'string')
    return node.namedType.startsWith('__untyped')
      ? {}
      : {
          $ref: node.namedType,
          ...(node.elementRelationship === 'atomic'
            ? { 'x-kubernetes-map-type': 'atomic', 'x-kubernetes-list-type': 'atomic' }
            : {}),
        }
  if (node.scalar !== undefined)
    return { type: 'string', ...(node.default === undefined ? {} : { default: node.default as Json }) }
  if (isObject(node.list)) {
    const keys = node.list.keys as string[] | undefined
    return {
      type: 'array',
      items: convert(node.list.elementType),
      'x-kubernetes-list-type':
        node.list.elementRelationship === 'associative' ? (keys?.length ? 'map' : 'set') : 'atomic',
      ...(keys === undefined ? {} : { 'x-kubernetes-list-map-keys': keys }),
    }
  }
  if (!isObject(node.map)) return {}
  const { fields, elementType, elementRelationship } = node.map
  return {
    type: 'object',
    ...(elementRelationship === 'atomic' ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    ...(Array.isArray(fields)
      ? {
          properties: Object.fromEntries(
            (fields as JsonObject[]).map((field) => [
              String(field.name),
              { ...convert(field.type), ...(field.default === undefined ? {} : { default: field.default as Json }) },
            ]),
          ),
        }
      : {}),
    ...(elementType !== undefined
      ? { additionalProperties: convert(elementType) }
      : fields === undefined
        ? { additionalProperties: {} }
        : {}),
  }
}
