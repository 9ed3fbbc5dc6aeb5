import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpuSeconds } from '../../../../tests/support/cpu-time.ts'
import { isObject, type JsonObject, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { parseFields, renderPaths } from '../../../lib/kube-typed/merge/path-set.ts'
import { toVersion } from '../conversion/convert.ts'
import { Fault } from '../fault.ts'
import { type Obj, objFrom } from '../object.ts'
import { builtinResources } from '../resources/builtin.ts'
import { apiVersionOf, type Resource } from '../resources/resource.ts'
import { resourcesOf } from '../resources/definitions.ts'
import { trackApply, trackUpdate } from './managed-fields.ts'

const AUTOSCALERS = builtinResources().filter(({ kind }) => kind === 'HorizontalPodAutoscaler')
const REF = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'b' }

type Write = { readonly v: 1 | 2; readonly by: string; readonly force?: boolean; readonly spec: JsonObject }

const kindIn = (v: number): Resource =>
  AUTOSCALERS.find((each) => apiVersionOf(each) === `autoscaling/v${v}`) as Resource

/** What each manager owns after applies in one version and the other, and the spec in the last of them. */
function afterAll(writes: readonly Write[]): { owned: Record<string, string[]>; spec: unknown } {
  let live: Obj | undefined
  for (const { v, by, force = true, spec } of writes) {
    const resource = kindIn(v)
    const body = { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: { name: 'h' }, spec }
    const writer = { manager: by, now: '2026-01-01T00:00:00Z', subresource: '' }
    const before = live === undefined ? undefined : toVersion(resource, live)
    const { value, managedFields } = trackApply(resource, before, body, writer, force)
    live = objFrom(structuredClone({ ...value }), apiVersionOf(resource), resource.kind)
    if (managedFields !== undefined) live.metadata.managedFields = managedFields
  }
  const entries = objectsOf(live?.metadata.managedFields)
  const owned = entries.map(({ manager, fieldsV1 }) => [stringOf(manager), renderPaths(parseFields(fieldsV1))] as const)
  return { owned: Object.fromEntries(owned), spec: live?.spec }
}

// What the real kube-apiserver 1.37.2 answered in. `scaleTargetRef` is a whole in version 1 and has fields in version 2.
const FIELDS = ['.spec.scaleTargetRef.apiVersion', '.spec.scaleTargetRef.kind', '.spec.scaleTargetRef.name']
const cases: { it: string; writes: Write[]; owned: Record<string, string[]> }[] = [
  {
    it: 'owns in the words of the version in which it wrote, whoever writes in another one',
    writes: [
      { v: 2, by: 'a', spec: { maxReplicas: 4, scaleTargetRef: REF } },
      { v: 1, by: 'b', spec: { maxReplicas: 3, scaleTargetRef: REF } },
    ],
    owned: { a: FIELDS, b: ['.spec.maxReplicas', '.spec.scaleTargetRef'] },
  },
  {
    it: 'loses of what is a whole elsewhere only the field that changed',
    writes: [
      { v: 2, by: 'a', spec: { maxReplicas: 4, scaleTargetRef: REF } },
      { v: 1, by: 'b', spec: { maxReplicas: 4, scaleTargetRef: { ...REF, name: 'c' } } },
    ],
    owned: {
      a: ['.spec.maxReplicas', '.spec.scaleTargetRef.apiVersion', '.spec.scaleTargetRef.kind'],
      b: ['.spec.maxReplicas', '.spec.scaleTargetRef'],
    },
  },
]
for (const { it, writes, owned } of cases)
  test(`an autoscaler's manager ${it}`, () => assert.deepEqual(afterAll(writes).owned, owned))

test('what is applied no more in another version stays where that version always has the field', () => {
  const { spec } = afterAll([
    { v: 1, by: 'c', spec: { maxReplicas: 4, scaleTargetRef: REF } },
    { v: 2, by: 'c', force: false, spec: { scaleTargetRef: REF } },
  ])
  assert.equal(isObject(spec as JsonObject) && (spec as JsonObject).maxReplicas, 4)
})

test('an apply in one version meets the owners of another in their own words', () => {
  const writes: Write[] = [
    { v: 2, by: 'b', spec: { maxReplicas: 3, scaleTargetRef: { ...REF, name: 'a' } } },
    { v: 1, by: 'a', force: false, spec: { maxReplicas: 4, scaleTargetRef: REF } },
  ]
  assert.throws(
    () => afterAll(writes),
    (error) => error instanceof Fault && /- \.spec\.maxReplicas\n- \.spec\.scaleTargetRef\.name$/.test(error.message),
  )
})

test('a write is converted once, however many own fields in another version', () => {
  const metrics = Array.from({ length: 200 }, (_, index) => ({
    type: 'External',
    external: { metric: { name: `m${index}` }, target: { type: 'Value', value: '1' } },
  }))
  const v2 = kindIn(2)
  const spec = { maxReplicas: 3, scaleTargetRef: REF, metrics }
  const live = objFrom(
    { apiVersion: apiVersionOf(v2), kind: v2.kind, metadata: { name: 'h' }, spec },
    apiVersionOf(v2),
    v2.kind,
  )
  live.metadata.managedFields = Array.from({ length: 2000 }, (_, index) => ({
    ...{ manager: `m${index}`, operation: 'Apply', apiVersion: apiVersionOf(v2), fieldsType: 'FieldsV1' },
    fieldsV1: { 'f:spec': { 'f:maxReplicas': {} } },
  }))
  const v1 = kindIn(1)
  const body = { apiVersion: apiVersionOf(v1), kind: v1.kind, metadata: { name: 'h' }, spec: { maxReplicas: 4 } }
  const writer = { manager: 'other', now: '2026-01-01T00:00:00Z', subresource: '' }
  assert.ok(cpuSeconds(() => void trackApply(v1, toVersion(v1, live), body, writer, true)) < 2)
})

// What the real kube-apiserver 1.37.2 answered to both applies and to a patch.
test('who owns in a version that cannot have what is written is told of by an apply, and kept by other writes', () => {
  const version = (name: string, field: string): JsonObject => {
    const schema = {
      type: 'object',
      properties: { spec: { type: 'object', properties: { [field]: { type: 'string' } } } },
    }
    return { name, served: true, storage: name === 'v1', schema: { openAPIV3Schema: schema } }
  }
  const spec = {
    group: 'x.io',
    names: { kind: 'Seed', plural: 'seeds' },
    versions: [version('v1', 'a'), version('v2', 'b')],
  }
  const definition = objFrom(
    { metadata: { name: 'seeds.x.io' }, spec },
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
  )
  const [first, second] = resourcesOf(definition)
  assert.ok(first !== undefined && second !== undefined)
  const writer = { manager: 'm', now: '2026-01-01T00:00:00Z', subresource: '' }
  const live = objFrom({ metadata: { name: 's' }, spec: { a: 'x' } }, 'x.io/v1', 'Seed')
  trackUpdate(first, undefined, live, undefined, { ...writer, manager: 'first' })
  const shown = toVersion(second, live)
  const body = { apiVersion: 'x.io/v2', kind: 'Seed', metadata: { name: 's' }, spec: { b: 'y' } }
  assert.throws(
    () => trackApply(second, shown, body, writer, false),
    (error) =>
      error instanceof Fault && error.message === 'failed to convert new object: .spec.b: field not declared in schema',
  )
  const next = objFrom({ ...body, metadata: { name: 's' } }, 'x.io/v2', 'Seed')
  trackUpdate(second, shown, next, undefined, writer)
  assert.deepEqual(JSON.stringify(next.metadata.managedFields), JSON.stringify(live.metadata.managedFields))
})
