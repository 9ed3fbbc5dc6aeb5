import type { GitRepository } from '../../../kinds/git-repository.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { parseGitUrl } from '../../git/url.ts'

/** Names the first field of a GitRepository that this version does not serve; such an object is refused, never half obeyed. */
export function unsupportedField(
  repository: GitRepository,
): { readonly reason: string; readonly message: string } | undefined {
  const { provider, proxySecretName, serviceAccountName, url } = repository
  if (!isAddress(url)) return { reason: 'URLInvalid', message: `failed to parse url '${url}'` }
  if (provider !== 'generic')
    return unsupported(`spec.provider ${provider}`, 'a Secret with a token works with every host')
  if (proxySecretName !== undefined && url.startsWith('ssh://'))
    return unsupported('spec.proxySecretRef with an ssh:// address', 'use https://')
  if (serviceAccountName !== undefined) return unsupported('spec.serviceAccountName', 'remove it')
  return undefined
}

/** An address that git may be given; the short form of SSH is none for Flux. */
function isAddress(url: string): boolean {
  if (!/^(https?|ssh):\/\//.test(url)) return false
  try {
    parseGitUrl(url)
    return true
  } catch (error) {
    if (error instanceof SluiceError) return false
    throw error
  }
}

function unsupported(field: string, hint: string): { readonly reason: string; readonly message: string } {
  return { reason: 'NotSupported', message: `${field} is not supported by this version of sluice; ${hint}` }
}
