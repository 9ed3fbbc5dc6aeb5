import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WatchCache } from '../../adapters/kube/types.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { indexBy } from './index-by.ts'
import { as, type Pod } from './shapes.ts'

const pod = (name: string, nodeName?: string): KubeObject =>
  as<KubeObject>({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'a', name }, spec: { nodeName } } as never)

/** A cache that has `first`, and whose changes are told by hand. It is listed once. */
function cacheOf(first: readonly KubeObject[]) {
  const handlers: Parameters<WatchCache['onChange']>[0][] = []
  let lists = 0
  const cache: WatchCache = {
    ready: Promise.resolve(),
    refused: new Promise(() => undefined),
    get: () => undefined,
    list: () => (lists++, first),
    onChange: (handler) => (handlers.push(handler), () => undefined),
    close: () => undefined,
  }
  const tell: Parameters<WatchCache['onChange']>[0] = (...change) => handlers.forEach((handler) => handler(...change))
  return { cache, tell, lists: () => lists }
}

test('an index follows the changes of its cache, and never lists it again', () => {
  const { cache, tell, lists } = cacheOf([pod('first', 'n'), pod('waits')])
  const on = indexBy(cache, (each) => [as<Pod>(each).spec.nodeName ?? []].flat())
  const namesOn = (node: string): string[] => on(node).map(({ metadata }) => metadata.name)

  assert.deepEqual(namesOn('n'), ['first'])
  tell(pod('second', 'n'), 'ADDED')
  tell(pod('waits', 'm'), 'MODIFIED')
  assert.deepEqual([namesOn('n'), namesOn('m')], [['first', 'second'], ['waits']])
  tell(pod('second', 'm'), 'MODIFIED')
  tell(pod('first', 'n'), 'DELETED')
  assert.deepEqual([namesOn('n'), namesOn('m'), lists()], [[], ['waits', 'second'], 1])
})

test('an object is found by everything that it names', () => {
  const { cache } = cacheOf([pod('both')])
  const of = indexBy(cache, () => ['x', 'y'])
  assert.deepEqual([of('x').length, of('y').length, of('z').length], [1, 1, 0])
})
