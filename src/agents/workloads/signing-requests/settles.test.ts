import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Chance,
  forSeeds,
  type RunOptions,
  servedKind,
  simulateCluster,
  type SimulatedWrite,
  START_MS,
} from '../../../../tests/support/simulated-cluster.ts'
import type { SimulatedStore } from '../../../../tests/support/simulated-store.ts'
import { refOf } from '../../../lib/kube/object.ts'
import { conditionOf, timeText } from '../meta.ts'
import { signingRequests } from './controller.ts'
import type { SigningRequestObject } from './decide.ts'

const HOUR_MS = 3_600_000
const kinds = [servedKind('certificates.k8s.io/v1', 'CertificateSigningRequest', 'certificatesigningrequests', false)]
/** PKCS #10 of O=system:nodes, CN=system:node:n1. */
const NODE =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIcU1JR1NBZ0VBTURBeEZUQVRCZ05WQkFvTURITjVjM1JsYlRwdWIyUmxjekVYTUJVR0ExVUVBd3dPYzNsegpkR1Z0T201dlpHVTZiakV3V1RBVEJnY3Foa2pPUFFJQkJnZ3Foa2pPUFFNQkJ3TkNBQVN1M01rcWtla3Jna2J4CmJWUmE3dG9TMVZkOE9XV3o1dHJjQ1N4eTUzYTBmaytHOVgzVHlEQk42L1NId2R6bmw3WjNrbnVaUWIrS1FJc1AKZzhBc2tDeDBvQUF3Q2dZSUtvWkl6ajBFQXdJRFJ3QXdSQUlnUFJxZHE1MytEN0haeDRkMkNhcDEvdHZCMGxpcgp3QWhaM3BXTGJGb3ovb2tDSUVXZzZKaHZRMW0zeEJzWG5VQ1hKOXVPcENEdHh1bHZEZXBvaHh3V292bFEKLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg=='
const SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet'

function putRequest(store: SimulatedStore, { is, pick }: Chance, name: string): void {
  const since = timeText(START_MS - pick([0, 0, 2, 30]) * HOUR_MS)
  const conditions = ['Approved', 'Denied', 'Failed']
    .filter(() => is(0.2))
    .map((type) => ({ type, status: 'True', ...(is(0.8) && { lastUpdateTime: since }) }))
  store.put({
    ...{ apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest' },
    metadata: { name, creationTimestamp: since },
    spec: {
      request: pick([NODE, NODE, 'AAAA']),
      signerName: pick([SIGNER, SIGNER, 'example.com/mine']),
      usages: pick([['client auth', 'digital signature'], ['server auth']]),
      username: pick(['system:node:n1', 'known', 'stranger']),
    },
    status: { ...(conditions.length > 0 && { conditions }), ...(is(0.2) && { certificate: 'AAAA' }) },
  })
}

/** A stranger has no right to a certificate, the others have. */
const review: RunOptions['answer'] = ({ spec, ...asked }) => ({
  ...asked,
  status: { allowed: (spec as { user: string }).user !== 'stranger' },
})

function others(store: SimulatedStore, chance: Chance): (() => void)[] {
  const deed = (): void => {
    const name = `r${chance.int(4)}`
    const found = store.get('CertificateSigningRequest', '', name)
    if (found && chance.is(0.5)) store.remove(refOf(found))
    else putRequest(store, chance, name)
  }
  return Array.from({ length: chance.int(5) }, () => deed)
}

const isJudged = ({ status }: SigningRequestObject): boolean =>
  Boolean(status?.certificate) || ['Approved', 'Denied'].some((type) => conditionOf(status?.conditions, type))

/** Whether a request is for what a kubelet may have by itself, by somebody who has the right to it. */
const isDue = ({ spec }: SigningRequestObject): boolean =>
  spec.request === NODE &&
  spec.signerName === SIGNER &&
  spec.usages?.[0] === 'client auth' &&
  spec.username !== 'stranger'

/** Nothing is approved that is not due, or judged already. */
function checkWrite(store: SimulatedStore, { verb, args: [object, options] }: SimulatedWrite): void {
  if (verb !== 'replace') return
  const now = store.get<SigningRequestObject>('CertificateSigningRequest', '', object.metadata.name)
  if (now?.metadata.resourceVersion !== object.metadata.resourceVersion) return
  assert.ok(now && isDue(now) && !isJudged(now), `${object.metadata.name} is approved`)
  assert.equal(options.subresource, 'approval')
}

function checkEnd(store: SimulatedStore, nowMs: number): void {
  for (const request of store.of<SigningRequestObject>('CertificateSigningRequest')) {
    const { name, creationTimestamp } = request.metadata
    assert.ok(!isDue(request) || isJudged(request), `${name} waits, and may be approved`)
    const isOld = nowMs - Date.parse(creationTimestamp ?? '') > 24 * HOUR_MS
    assert.ok(!isOld || request.status?.conditions, `${name} waits for more than a day`)
  }
}

test('requests for certificates settle from any state, and a further run writes nothing', () =>
  forSeeds(8, async (seed) => {
    const { store, chance, clock, run } = simulateCluster(seed, kinds, START_MS)
    for (let at = chance.int(4); at >= 0; at--) putRequest(store, chance, `r${at}`)
    const keep = (options: RunOptions): Promise<readonly string[]> =>
      run((bench) => [signingRequests(bench)], {
        answer: review,
        onWrite: (write) => checkWrite(store, write),
        quietMs: 5 * 60_000,
        ...options,
      })
    await keep({ faults: chance.int(4), others: others(store, chance) })
    checkEnd(store, clock.nowMs())
    assert.deepEqual(await keep({}), [])
  }))
