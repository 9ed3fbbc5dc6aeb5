import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../lib/kube/json.ts'
import { defaultPod, qosClassOf } from './pod.ts'

const one = (requests: JsonObject, limits: JsonObject): JsonObject => ({ resources: { requests, limits } })
const whole = (resources: JsonObject, ...containers: JsonObject[]): JsonObject => ({ resources, containers })

/** What the real API server 1.37.2 made of it: the resources of the whole pod and its class. */
const cases: { it: string; spec: JsonObject; want: [unknown, string] }[] = [
  {
    it: 'asks for what its containers do',
    spec: whole({ limits: { cpu: '1', memory: '10Mi' } }, one({ cpu: '100m' }, {}), one({}, { cpu: '100m' })),
    want: [{ limits: { cpu: '1', memory: '10Mi' }, requests: { cpu: '200m', memory: '10Mi' } }, 'Burstable'],
  },
  {
    it: 'asks for its limits otherwise',
    spec: whole({ limits: { cpu: '1', memory: '10Mi' } }, {}),
    want: [{ limits: { cpu: '1', memory: '10Mi' }, requests: { cpu: '1', memory: '10Mi' } }, 'Guaranteed'],
  },
  {
    it: 'asks for no more than it says where it has no limits',
    spec: whole({ requests: { memory: '10Mi' } }, one({ cpu: '100m' }, {})),
    want: [{ requests: { memory: '10Mi' } }, 'Burstable'],
  },
  {
    it: 'limits huge pages as its containers do',
    spec: whole({ limits: { cpu: '2' } }, one({}, { 'hugepages-2Mi': '2Mi' })),
    want: [
      { limits: { cpu: '2', 'hugepages-2Mi': '2Mi' }, requests: { cpu: '2', 'hugepages-2Mi': '2Mi' } },
      'Burstable',
    ],
  },
  {
    it: 'is of the class of its containers where it says nothing',
    spec: whole({}, one({ cpu: '1' }, { cpu: '1' })),
    want: [{}, 'Burstable'],
  },
  {
    it: 'is burstable where containers differ',
    spec: { containers: [one({}, { cpu: '1', memory: '1Mi' }), {}] },
    want: [undefined, 'Burstable'],
  },
]

for (const { it, spec, want } of cases)
  test(`a pod ${it}`, () => {
    const pod = { spec: structuredClone(spec) }
    defaultPod(pod)
    assert.deepEqual([pod.spec.resources, qosClassOf(pod.spec)], want)
  })
