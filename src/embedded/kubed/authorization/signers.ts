import { equal, objectOf, stringOf } from '../../../lib/kube/json.ts'
import { readSigningRequest } from '../../../lib/x509/request.ts'
import type { Environment } from '../environment.ts'
import { forbidden } from '../fault.ts'
import { type Obj, specOf } from '../object.ts'
import type { Call } from '../request/call.ts'
import { CLIENT_SIGNER } from '../resources/resource.ts'
import { judge, MASTERS } from './rules.ts'

/**
 * Refuses what not everybody may do with a request for a certificate: to approve and to sign takes a right on its signer, and nobody is made
 * an administrator by a certificate.
 *
 * @throws Fault 403
 * @see k8s.io/kubernetes/plugin/pkg/admission/certificates
 */
export function admitSigningRequest(env: Environment, call: Call, request: Obj, before: Obj | undefined): void {
  const { resource, subresource } = call
  const refuse = (why: string): Error => forbidden(resource, request.metadata.name, why)
  const signer = stringOf(specOf(before ?? request).signerName)
  if (subresource === 'approval' && !maySign(env, call, 'approve', signer))
    throw refuse(`user not permitted to approve requests with signerName ${JSON.stringify(signer)}`)
  if (subresource === 'status' && signs(request, before) && !maySign(env, call, 'sign', signer))
    throw refuse(`user not permitted to sign requests with signerName ${JSON.stringify(signer)}`)
  if (subresource !== '' || specOf(request).signerName !== CLIENT_SIGNER) return
  const asked = readSigningRequest(Buffer.from(stringOf(specOf(request).request), 'base64').toString('latin1'))
  if (asked?.organizations.includes(MASTERS))
    throw refuse(`use of ${CLIENT_SIGNER} signer with ${MASTERS} group is not allowed`)
}

const signs = (request: Obj, before: Obj | undefined): boolean =>
  ['certificate', 'conditions'].some(
    (field) => !equal(objectOf(request.status)[field], objectOf(before?.status)[field]),
  )

/** The right may be one on all signers of the domain. */
function maySign(env: Environment, { user }: Call, verb: string, signer: string): boolean {
  const what = { verb, group: 'certificates.k8s.io', resource: 'signers', subresource: '', namespace: '' }
  return [signer, `${signer.split('/')[0] ?? ''}/*`].some((name) => judge(env, user, { ...what, name }).isAllowed)
}
