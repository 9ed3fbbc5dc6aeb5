import { equal, objectOf, stringOf } from '../../../lib/kube/json.ts'
import { goQuote } from '../../../lib/value/go-quote.ts'
import { readSigningRequest } from '../../../lib/x509/request.ts'
import type { Environment } from '../environment.ts'
import { type Fault, type FieldError, forbidden } from '../fault.ts'
import { type Obj, specOf } from '../object.ts'
import type { Call } from '../request/call.ts'
import { CLIENT_SIGNER } from '../resources/resource.ts'
import { podCertificateFaults, plainStatus } from '../validation/kinds/pod-certificate-checks.ts'
import type { Write } from './attempt.ts'
import { judge, MASTERS } from '../authorization/rules.ts'

const POD_REQUESTS = 'certificates.k8s.io/podcertificaterequests'

type Admit = (env: Environment, call: Call, request: Obj, before: Obj | undefined) => void

const refusal = ({ resource }: Call, { metadata }: Obj, why: string): Fault => forbidden(resource, metadata.name, why)

/**
 * To approve a request takes a right on its signer.
 *
 * @throws Fault 403
 * @see k8s.io/kubernetes/plugin/pkg/admission/certificates/approval
 */
export const admitApproval: Admit = (env, call, request, before) => {
  const signer = signerOf(before ?? request)
  if (call.subresource === 'approval' && !maySign(env, call, 'approve', signer))
    throw refusal(call, request, `user not permitted to approve requests with signerName ${JSON.stringify(signer)}`)
}

/**
 * To sign one does, too.
 *
 * @throws Fault 403
 * @see k8s.io/kubernetes/plugin/pkg/admission/certificates/signing
 */
export const admitSigning: Admit = (env, call, request, before) => {
  const signer = signerOf(before ?? request)
  if (call.subresource === 'status' && signs(request, before) && !maySign(env, call, 'sign', signer))
    throw refusal(call, request, `user not permitted to sign requests with signerName ${JSON.stringify(signer)}`)
}

/**
 * Nobody is made an administrator by a certificate.
 *
 * @throws Fault 403
 * @see k8s.io/kubernetes/plugin/pkg/admission/certificates/subjectrestriction
 */
export const admitSubject: Admit = (_env, call, request) => {
  if (call.subresource !== '' || signerOf(request) !== CLIENT_SIGNER) return
  const asked = readSigningRequest(Buffer.from(stringOf(specOf(request).request), 'base64').toString('latin1'))
  if (asked?.organizations.includes(MASTERS))
    throw refusal(call, request, `use of ${CLIENT_SIGNER} signer with ${MASTERS} group is not allowed`)
}

const signerOf = (request: Obj): string => stringOf(specOf(request).signerName)

const signs = (request: Obj, before: Obj | undefined): boolean =>
  ['certificate', 'conditions'].some(
    (field) => !equal(objectOf(request.status)[field], objectOf(before?.status)[field]),
  )

/** The right may be one on all signers of the domain. */
function maySign(env: Environment, { user }: Call, verb: string, signer: string): boolean {
  const what = { verb, group: 'certificates.k8s.io', resource: 'signers', subresource: '', namespace: '' }
  return [signer, `${signer.split('/')[0] ?? ''}/*`].some((name) => judge(env, user, { ...what, name }).isAllowed)
}

/**
 * What is wrong with what somebody says of a pod's request for a certificate: only who may sign for its signer says anything. The
 * original tells of it as of a fault of the field.
 *
 * @see k8s.io/kubernetes/pkg/registry/certificates/podcertificaterequest
 */
export function podCertificateStatusFaults(env: Environment, { call, object, before }: Write): FieldError[] {
  const isStatus = call.subresource === 'status' && call.resource.storageKey === POD_REQUESTS
  if (!isStatus || before === undefined) return []
  const errors = podCertificateFaults(object, before, env.nowMs())
  const signer = signerOf(before)
  if (
    errors.length > 0 ||
    equal(plainStatus(object.status), plainStatus(before.status)) ||
    maySign(env, call, 'sign', signer)
  )
    return errors
  const why = `User ${goQuote(call.user.name)} is not permitted to "sign" for signer ${goQuote(signer)}`
  return [{ field: 'spec.signerName', type: 'Forbidden', message: `Forbidden: ${why}` }]
}
