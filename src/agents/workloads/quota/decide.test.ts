import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { decideQuota, type Quota, type QuotaSeen } from './decide.ts'

const pod = (name: string, cpu: string, phase: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'a' },
  spec: { containers: [{ name: 'c', resources: { requests: { cpu } } }] },
  status: { phase },
})
function seenOf(hard: Quota['spec'], status?: Quota['status']): QuotaSeen {
  const quota: Quota = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q', namespace: 'a' },
    ...(hard && { spec: hard }),
    ...(status && { status }),
  }
  const objects = [pod('p', '500m', 'Running'), pod('q', '1', 'Running'), pod('r', '4', 'Failed')]
  return { quota, counted: [{ kind: { group: '', plural: 'pods' }, objects }], nowMs: 0 }
}
function usedOf(seen: QuotaSeen): unknown {
  const decided = decideQuota(seen)
  const [write] = decided.kind === 'done' ? decided.status : []
  return write?.do === 'replace' ? (write.object as Quota).status?.used : undefined
}

// As Kubernetes' own controller counts.
const cases: { it: string; hard: Record<string, string>; used?: Record<string, string>; want: object }[] = [
  { it: 'counts what runs', hard: { 'requests.cpu': '9' }, want: { 'requests.cpu': '1500m' } },
  { it: 'counts all that is there', hard: { 'count/pods': '9', pods: '9' }, want: { 'count/pods': '3', pods: '2' } },
  { it: 'tells nothing of a name that no kind has', hard: { 'count/x.y': '9', pods: '9' }, want: { pods: '2' } },
  {
    it: 'keeps what was told of a name that no kind has any more',
    hard: { 'count/x.y': '9', pods: '9' },
    used: { 'count/x.y': '5', pods: '7' },
    want: { 'count/x.y': '5', pods: '2' },
  },
  {
    it: 'drops what it no longer limits',
    hard: { pods: '9' },
    used: { pods: '2', cpu: '1' },
    want: { pods: '2' },
  },
]
for (const { it, hard, used, want } of cases)
  test(`the quota controller ${it}`, () => assert.deepEqual(usedOf(seenOf({ hard }, used && { hard, used })), want))
