import type { KubeObject } from '../../lib/kube/object.ts'
import { readText } from '../../lib/kube/read.ts'

/**
 * What to do about an object that is not ready, where the words of its condition tell what kind of fault it is: a login, a certificate,
 * a Secret that is missing, a server that does not answer. `undefined` where they say it themselves or nothing is known. Pure.
 */
export function nextStep(object: KubeObject, message: string): string | undefined {
  const { namespace = '', name } = object.metadata
  const secret = readText(object, 'spec', 'secretRef', 'name')
  const missing = /\bsecrets? "(?:[^"/]+\/)?([^"/]+)" not found/i.exec(message)?.[1]
  if (missing !== undefined) return `create Secret ${namespace}/${missing}, or take it out of the spec`
  if (/certificate/i.test(message)) return ofCertificate(object, message)
  if (/\b40[13]\b|unauthori[sz]ed|authentication (?:required|failed)|access denied|permission denied/i.test(message))
    return secret === ''
      ? 'it has no login: name a Secret in spec.secretRef'
      : `look at the login in Secret ${namespace}/${secret}: it is wrong, expired or has no right here`
  if (/repository not found/i.test(message))
    return `look at the address in its spec, and whether ${secret === '' ? 'it wants a login' : `the login in Secret ${namespace}/${secret} may read it`}: hosts answer so in both cases`
  if (/no such host|ENOTFOUND/.test(message)) return 'look at the address in its spec: the name is unknown to DNS'
  if (/connection refused|deadline exceeded|ECONNREFUSED|ETIMEDOUT|timed out/.test(message))
    return `it is asked again by itself; at once: sluice reconcile ${object.kind.toLowerCase()} ${name} -n ${namespace}`
  return undefined
}

function ofCertificate({ kind, metadata: { namespace = '' }, spec }: KubeObject, message: string): string {
  if (/expired/i.test(message)) return 'renew the certificate of the server'
  const field = kind === 'GitRepository' ? 'secretRef' : 'certSecretRef'
  const named = readText(spec, field, 'name')
  return named === ''
    ? `trust its authority: ca.crt in a Secret that spec.${field} names`
    : `trust its authority: ca.crt in Secret ${namespace}/${named} is missing or of another`
}
