import type { SluiceError } from '../../lib/error/sluice-error.ts'

/** How a registry is asked by Flux's library: a host of this machine may answer in plain HTTP, too. */
export function schemeFor(host: string, isInsecure: boolean): 'http' | 'https' {
  return isInsecure || /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$|\.local(:\d+)?$/.test(host) ? 'http' : 'https'
}

/** A fault of a registry, in the words of Flux's library where nobody listens there. */
export function registryFault(
  error: SluiceError,
  host: string,
  { isInsecure, proxySecretName }: { readonly isInsecure: boolean; readonly proxySecretName?: string | undefined },
): string {
  const refusedAt = /ECONNREFUSED(?: (\S+))?/.exec(`${error.message} ${String(error.cause)}`)
  if (error.code !== 'REGISTRY_UNREACHABLE' || !refusedAt) return error.message
  const [at, step] = proxySecretName === undefined ? [host, ''] : [refusedAt[1] ?? host, 'proxyconnect tcp: ']
  const refused = (scheme: string): string =>
    `Get "${scheme}://${host}/v2/": ${step}dial tcp ${at}: connect: connection refused`
  return schemeFor(host, isInsecure) === 'http' ? `${refused('https')}; ${refused('http')}` : refused('https')
}
