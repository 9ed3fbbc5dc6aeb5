import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DiskUse, limitsDisk, whyEvicted } from './eviction.ts'
import type { Container, Pod, PodSpec } from '../shapes.ts'

const limitedTo = (name: string, limit?: string): Container => ({
  name,
  image: 'x:1',
  ...(limit && { resources: { limits: { 'ephemeral-storage': limit } } }),
})
const pod = (spec: Partial<PodSpec>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web-1' },
  spec: { containers: [limitedTo('web')], ...spec },
})
const use = (volumes: Record<string, number>, containers: Record<string, number> = {}): DiskUse => ({
  volumes: new Map(Object.entries(volumes)),
  containers: new Map(Object.entries(containers)),
})
const MI = 2 ** 20
const cache = { name: 'cache', emptyDir: { sizeLimit: '1Mi' } }
const memory = { name: 'cache', emptyDir: { sizeLimit: '1Mi', medium: 'Memory' } }

const cases: { it: string; spec: Partial<PodSpec>; use: DiskUse; want: string | undefined }[] = [
  { it: 'goes on within its limit', spec: { volumes: [cache] }, use: use({ cache: MI }), want: undefined },
  {
    it: 'is ended for a folder',
    spec: { volumes: [cache] },
    use: use({ cache: MI + 1 }),
    want: 'Usage of EmptyDir volume "cache" exceeds the limit "1Mi". ',
  },
  { it: 'is not ended for memory', spec: { volumes: [memory] }, use: use({ cache: 2 * MI }), want: undefined },
  {
    it: 'is ended for all of its containers and folders',
    spec: { containers: [limitedTo('a', '1Mi'), limitedTo('b', '512Ki')], volumes: [{ name: 'v', emptyDir: {} }] },
    use: use({ v: MI }, { a: MI / 2, b: 1 }),
    want: 'Pod ephemeral local storage usage exceeds the total limit of containers 1536Ki. ',
  },
  {
    it: 'is ended for one of its containers',
    spec: { containers: [limitedTo('a', '1Mi'), limitedTo('b', '2Mi')] },
    use: use({}, { a: MI + 1, b: 0 }),
    want: 'Container a exceeded its local ephemeral storage limit "1Mi". ',
  },
  {
    it: 'is not ended when it is the cluster’s own',
    spec: { volumes: [cache], priority: 2_000_001_000 },
    use: use({ cache: 2 * MI }),
    want: undefined,
  },
]
for (const { it, spec, use: used, want } of cases)
  test(`a pod ${it}`, () => assert.equal(whyEvicted(pod(spec), used)?.message, want))

test('what nothing limits is not counted', () => {
  assert.equal(limitsDisk(pod({ volumes: [{ name: 'v', emptyDir: {} }, memory] })), false)
  assert.equal(limitsDisk(pod({ volumes: [cache] })), true)
  assert.equal(limitsDisk(pod({ containers: [limitedTo('a', '1Gi')] })), true)
})
