import type { Controller } from '../../../engine/controller.ts'
import { read } from '../../../lib/kube/read.ts'
import type { Bench } from '../bench.ts'
import { lookUp, wakeFor } from '../by-key.ts'
import { workloadController } from '../controller.ts'
import type { Write } from '../write.ts'
import {
  type Approval,
  approvalsOf,
  decideSigningRequest,
  isOpen,
  type SigningRequestObject,
  type SigningRequestSeen,
} from './decide.ts'

const GROUP = 'certificates.k8s.io'
/** As in the original's queue of requests for certificates. */
const FIRST_BACKOFF_MS = 200

/** Approves what kubelets ask for themselves, by their right to it, and drops old requests for certificates. */
export function signingRequests(bench: Bench): Controller<SigningRequestSeen, Write, readonly Write[]> {
  const requests = bench.cache(`${GROUP}/v1`, 'CertificateSigningRequest')
  return workloadController<SigningRequestSeen>(bench, {
    kind: 'CertificateSigningRequest',
    component: 'certificate-controller',
    firstBackoffMs: FIRST_BACKOFF_MS,
    async watch(wake) {
      await requests.ready
      wakeFor(requests, wake.now)
    },
    async observe(key) {
      const request = lookUp<SigningRequestObject>(requests, key)
      if (!request) return undefined
      const approval = isOpen(request) ? await allowed(bench, request) : undefined
      return { request, approval, nowMs: bench.clock.nowMs() }
    },
    decide: decideSigningRequest,
  })
}

async function allowed({ client }: Bench, request: SigningRequestObject): Promise<Approval | undefined> {
  const { username: user, uid, groups, extra } = request.spec
  for (const approval of approvalsOf(request)) {
    const { subresource } = approval
    const right = { group: GROUP, version: '*', resource: 'certificatesigningrequests', subresource, verb: 'create' }
    const review = await client.create(
      {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        metadata: { name: '' },
        spec: { user, uid, groups, extra, resourceAttributes: right },
      },
      { fieldManager: 'kube-controller-manager' },
    )
    if (read(review, 'status', 'allowed') === true) return approval
  }
  return undefined
}
