import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Pod, PodSpec } from '../pod/shapes.ts'
import { newestNode, stillThere, whyRefused } from './admit.ts'
import type { Pressure } from './pressure.ts'

const node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n', labels: { 'kubernetes.io/os': 'linux', zone: 'a' } },
  spec: { taints: [{ key: 'repair', effect: 'NoExecute' }] },
  status: { allocatable: { cpu: '2', memory: '1Gi', pods: '3', 'ephemeral-storage': '1Gi', 'example.com/gpu': '1' } },
} as KubeObject

type Case = {
  it: string
  spec?: object
  labels?: Record<string, string>
  pressures?: Pressure[]
  others?: number
  want: object | undefined
}

function pod({ spec = {}, labels = {} }: Pick<Case, 'spec' | 'labels'>, requests: object = {}): Pod {
  const containers = [{ name: 'c', image: 'i', resources: { requests } }]
  const tolerations = [{ key: 'repair', operator: 'Exists' }]
  const whole = { containers, tolerations, ...spec } as PodSpec
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', labels },
    spec: whole,
    status: { qosClass: 'BestEffort' },
  }
}

const asking = (requests: object): object => ({ containers: [{ name: 'c', image: 'i', resources: { requests } }] })
const out = (name: string, requested: number, used: number, capacity: number): object => ({
  reason: `OutOf${name}`,
  message: `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
})

// reasons and words as the kubelet v1.37.2 gives them (lifecycle, eviction)
const cases: Case[] = [
  { it: 'takes what fits', want: undefined },
  { it: 'takes what fits exactly', spec: asking({ cpu: '1900m' }), want: undefined },
  { it: 'has too little processor', spec: asking({ cpu: '1901m' }), want: out('cpu', 1901, 100, 2000) },
  { it: 'has too little memory', spec: asking({ memory: '1Gi', cpu: '1' }), want: out('memory', 2 ** 30, 1, 2 ** 30) },
  {
    it: 'has too little disk',
    spec: asking({ 'ephemeral-storage': '2Gi' }),
    want: out('ephemeral-storage', 2 ** 31, 0, 2 ** 30),
  },
  { it: 'has too little of a device', spec: asking({ 'example.com/gpu': 2 }), want: out('example.com/gpu', 2, 0, 1) },
  { it: 'does not know a device', spec: asking({ 'example.com/other': 2 }), want: undefined },
  { it: 'has too many pods', others: 3, want: out('pods', 1, 3, 3) },
  {
    it: 'takes a pod of the system whatever it asks',
    spec: { ...asking({ cpu: 8 }), priority: 2_000_000_000 },
    want: undefined,
  },
  {
    it: 'is not meant by the selector',
    spec: { nodeSelector: { zone: 'b' } },
    want: {
      reason: 'NodeAffinity',
      message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    },
  },
  {
    it: 'lacks resources before it is not meant',
    spec: { ...asking({ cpu: 3 }), nodeSelector: { zone: 'b' } },
    want: out('cpu', 3000, 100, 2000),
  },
  {
    it: 'has a taint that ends pods',
    spec: { tolerations: [] },
    want: {
      reason: 'TaintToleration',
      message: "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
    },
  },
  {
    it: 'is no machine of that system',
    spec: { os: { name: 'windows' } },
    want: { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" },
  },
  {
    it: 'has not the label of the system that the pod has',
    labels: { 'kubernetes.io/os': 'windows' },
    want: {
      reason: 'PodOSSelectorNodeLabelDoesNotMatch',
      message: "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
    },
  },
  {
    it: 'is short of disk',
    pressures: ['DiskPressure'],
    want: { reason: 'Evicted', message: 'The node had condition: [DiskPressure]. ' },
  },
  {
    it: 'is short of disk, for the system',
    spec: { priority: 2_000_000_000 },
    pressures: ['DiskPressure'],
    want: undefined,
  },
  {
    it: 'is short of memory',
    pressures: ['MemoryPressure'],
    want: { reason: 'Evicted', message: 'The node had condition: [MemoryPressure]. ' },
  },
  {
    it: 'is short of memory, which the pod tolerates',
    spec: { tolerations: [{ operator: 'Exists' }] },
    pressures: ['MemoryPressure'],
    want: undefined,
  },
]
for (const { it, others = 1, pressures = [], want, ...asked } of cases)
  test(`a node ${it}`, () => {
    const all = Array.from({ length: others }, () => pod({}, others === 1 ? { cpu: '100m', memory: 1 } : {}))
    const ended = { ...pod({}, { cpu: 2 }), status: { phase: 'Failed' } }
    assert.deepEqual(whyRefused({ pod: pod(asked), node, others: [...all, ended], pressures }), want)
  })

test('a pod that is only being ended does not count, also where another has its name', () => {
  const taken = ['gone', 'replaced', 'there'].map((name) => ({
    ...pod({}),
    metadata: { name, namespace: 'shop', uid: name },
  }))
  const current = (namespace: string, name: string): KubeObject | undefined =>
    name === 'gone' ? undefined : { ...node, metadata: { name, namespace, uid: name === 'replaced' ? 'next' : name } }
  assert.deepEqual(
    stillThere(taken, current).map(({ metadata }) => metadata.uid),
    ['there'],
  )
})

test('a Node that does not say yet what it may give is taken as it was registered', () => {
  const { status: _, ...fresh } = node as KubeObject & { status: object }
  assert.equal(newestNode(fresh, node), node)
  assert.equal(newestNode(undefined, node), node)
  assert.equal(newestNode(fresh, undefined), fresh)
  const changed = { ...node, metadata: { name: 'n', labels: { zone: 'b' } } }
  assert.equal(newestNode(changed, node), changed)
})
