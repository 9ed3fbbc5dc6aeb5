import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import type { Obj } from '../../object.ts'
import { checkResize } from './resize-checks.ts'

const container = (resources: JsonObject, more: JsonObject = {}): JsonObject => ({
  name: 'a',
  image: 'x',
  resources,
  ...more,
})
const pod = (spec: JsonObject, status: JsonObject = { qosClass: 'Burstable' }): Obj => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'n' },
  spec,
  status,
})
const HAD = { requests: { cpu: '100m' } }

const cases: { it: string; now: JsonObject; had?: JsonObject; status?: JsonObject; want: string[] }[] = [
  { it: 'takes more of the processor', now: { containers: [container({ requests: { cpu: '2' } })] }, want: [] },
  {
    it: 'takes a limit that was not there',
    now: { containers: [container({ ...HAD, limits: { cpu: '2', memory: '1Gi' } })] },
    want: [],
  },
  {
    it: 'refuses another class',
    now: { containers: [container({ requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } })] },
    want: ['spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing'],
  },
  {
    it: 'refuses to take amounts away',
    now: { containers: [container({ requests: { memory: '1Gi' } })] },
    want: ['spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed'],
  },
  {
    it: 'refuses other resources',
    now: { containers: [container({ requests: { cpu: '100m', 'ephemeral-storage': '1Gi' } })] },
    want: ['spec: Forbidden: only cpu and memory resources are mutable'],
  },
  {
    it: 'refuses another policy',
    now: { containers: [container(HAD, { resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }] })] },
    want: ['spec: Forbidden: only cpu and memory resources are mutable'],
  },
  {
    it: 'refuses another container',
    now: { containers: [container(HAD), container(HAD, { name: 'b' })] },
    want: ['spec.containers: Forbidden: containers may not be added or removed on resize'],
  },
  {
    it: 'refuses other names',
    now: { containers: [container(HAD, { name: 'b' })] },
    want: ['spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize'],
  },
  {
    it: 'refuses a node that cannot',
    now: { containers: [container({ requests: { cpu: '2' } })] },
    status: { qosClass: 'Burstable', containerStatuses: [{ name: 'a', state: { running: {} } }] },
    want: ['spec: Forbidden: Pod running on node without support for resize'],
  },
  {
    it: 'takes a node that says what it gave',
    now: { containers: [container({ requests: { cpu: '2' } })] },
    status: { qosClass: 'Burstable', containerStatuses: [{ name: 'a', state: { running: {} }, resources: {} }] },
    want: [],
  },
]
for (const { it, now, had = { containers: [container(HAD)] }, status, want } of cases)
  test(`a resize ${it}`, () => {
    const errors: FieldError[] = []
    checkResize(pod(now), pod(had, status), errors)
    assert.deepEqual(
      errors.map(({ field, message }) => `${field}: ${message}`),
      want,
    )
  })
