import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, Pod } from '../shapes.ts'
import { createPlaces } from './places.ts'
import { demandOf } from './resources.ts'

const pod = (name: string, spec: Partial<Pod['spec']> = {}, more: Partial<Pod> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'a' },
  spec: { containers: [], ...spec },
  ...more,
})
const leaving = { metadata: { name: 'on', namespace: 'a', deletionTimestamp: 'now' } }
const spread = { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'k', whenUnsatisfiable: 'DoNotSchedule' }] }

const wakings: { it: string; pod: Pod; isGone?: boolean; want: string[] }[] = [
  { it: 'nobody when it changes', pod: pod('on', { nodeName: 'n' }), want: [] },
  { it: 'everybody when it goes', pod: pod('on', { nodeName: 'n' }), isGone: true, want: ['a/w', 'a/s'] },
  {
    it: 'everybody when it ends',
    pod: pod('on', { nodeName: 'n' }, { status: { phase: 'Succeeded' } }),
    want: ['a/w', 'a/s'],
  },
  {
    it: 'only those that are spread when it begins to leave',
    pod: pod('on', { nodeName: 'n' }, leaving),
    want: ['a/s'],
  },
]
for (const { it, pod: change, isGone = false, want } of wakings)
  test(`a pod on a node wakes ${it}`, () => {
    const places = createPlaces()
    places.take(pod('on', { nodeName: 'n' }), false)
    places.take(pod('w'), false)
    places.take(pod('s', spread), false)
    assert.deepEqual(places.take(change, isGone), want)
  })

test('who waits keeps its turn, the more important ones before it', () => {
  const places = createPlaces()
  for (const each of [pod('first'), pod('second'), pod('important', { priority: 9 })]) places.take(each, false)
  places.take(pod('first', {}, { status: { phase: 'Pending' } }), false)
  assert.deepEqual(places.waiting(), ['a/important', 'a/first', 'a/second'])
})

const one = (cpu: string, restartPolicy?: string): Container => ({
  name: 'c',
  resources: { requests: { cpu } },
  ...(restartPolicy !== undefined && { restartPolicy }),
})
const demands: { it: string; spec: Partial<Pod['spec']>; want: number }[] = [
  { it: 'all containers', spec: { containers: [one('1'), one('500m')] }, want: 1500 },
  { it: 'the larger starter', spec: { containers: [one('1')], initContainers: [one('2'), one('500m')] }, want: 2000 },
  { it: 'a sidecar as well', spec: { containers: [one('1')], initContainers: [one('1', 'Always')] }, want: 2000 },
  {
    it: 'a starter beside the sidecars before it',
    spec: { containers: [one('0')], initContainers: [one('600m', 'Always'), one('600m')] },
    want: 1200,
  },
  {
    it: 'no sidecar that comes later',
    spec: { containers: [one('0')], initContainers: [one('600m'), one('600m', 'Always')] },
    want: 600,
  },
  {
    it: 'what the pod as a whole asks for, and its overhead',
    spec: { containers: [one('5')], resources: { requests: { cpu: '1' } }, overhead: { cpu: '10m' } },
    want: 1010,
  },
]
for (const { it, spec, want } of demands)
  test(`a pod demands ${it}`, () => assert.equal(demandOf(pod('p', spec)).get('cpu'), want))
