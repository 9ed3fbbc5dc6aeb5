import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject, OwnerReference } from '../../../lib/kube/object.ts'
import { createGraph } from './graph.ts'
import { misnamedAmong, tellElsewhere } from './misnamed.ts'

const map = (name: string, namespace: string | undefined, ownerReferences: OwnerReference[] = []): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, uid: name, ownerReferences, ...(namespace !== undefined && { namespace }) },
})
const reference = (more: Partial<OwnerReference> = {}): OwnerReference => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: 'o',
  uid: 'o',
  ...more,
})

const cases: {
  it: string
  ownerIn?: string
  is?: Partial<OwnerReference>
  want: 'elsewhere' | 'otherwise' | undefined
}[] = [
  { it: 'right', ownerIn: 'a', want: undefined },
  { it: 'right where the owner is in no namespace', want: undefined },
  { it: 'of another namespace', ownerIn: 'b', want: 'elsewhere' },
  { it: 'of another name', ownerIn: 'a', is: { name: 'x' }, want: 'otherwise' },
  { it: 'of another kind', ownerIn: 'a', is: { kind: 'Secret' }, want: 'otherwise' },
  { it: 'of another version', ownerIn: 'a', is: { apiVersion: 'v2' }, want: 'otherwise' },
  { it: 'not known yet', ownerIn: 'a', is: { uid: 'other' }, want: undefined },
]
for (const { it, ownerIn, is, want } of cases)
  test(`a reference is ${it}`, () => {
    const graph = createGraph()
    graph.put(map('o', ownerIn))
    const node = graph.put(map('d', 'a', [reference(is)]))
    const found = misnamedAmong(graph, node, node.owners)
    assert.equal(found && (found.isElsewhere ? 'elsewhere' : 'otherwise'), want)
  })

test('an owner in another namespace is told', () => {
  const graph = createGraph()
  graph.put(map('o', 'b'))
  const node = graph.put(map('d', 'a', [reference()]))
  const found = misnamedAmong(graph, node, node.owners)
  assert.ok(found)
  assert.deepEqual(tellElsewhere(found), {
    about: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'd', uid: 'd', namespace: 'a' } },
    type: 'Warning',
    reason: 'OwnerRefInvalidNamespace',
    message: 'ownerRef [v1/ConfigMap, namespace: a, name: o, uid: o] does not exist in namespace "a"',
  })
})
