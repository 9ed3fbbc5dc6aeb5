import type { GitRepository } from '../../../kinds/git-repository.ts'

/** Names the first field of a GitRepository that this version does not serve; such an object is refused, never half obeyed. */
export function unsupportedField(
  repository: GitRepository,
): { readonly reason: string; readonly message: string } | undefined {
  const { provider, proxySecretName, serviceAccountName, url } = repository
  if (!/^(https?|ssh):\/\//.test(url)) return { reason: 'URLInvalid', message: `failed to parse url '${url}'` }
  if (provider !== 'generic')
    return unsupported(`spec.provider ${provider}`, 'a Secret with a token works with every host')
  if (proxySecretName !== undefined && url.startsWith('ssh://'))
    return unsupported('spec.proxySecretRef with an ssh:// address', 'use https://')
  if (serviceAccountName !== undefined) return unsupported('spec.serviceAccountName', 'remove it')
  return undefined
}

function unsupported(field: string, hint: string): { readonly reason: string; readonly message: string } {
  return { reason: 'NotSupported', message: `${field} is not supported by this version of sluice; ${hint}` }
}
