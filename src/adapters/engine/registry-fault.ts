import type { SluiceError } from '../../lib/error/sluice-error.ts'

/** How a registry is asked by Flux's library: a host of this machine may answer in plain HTTP, too. */
export function schemeFor(host: string, isInsecure: boolean): 'http' | 'https' {
  return isInsecure || /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$|\.local(:\d+)?$/.test(host) ? 'http' : 'https'
}

/** A fault of a registry, in the words of Flux's library where nobody listens there. */
export function registryFault(error: SluiceError, host: string, isInsecure: boolean): string {
  const isRefused =
    error.code === 'REGISTRY_UNREACHABLE' && /ECONNREFUSED/.test(`${error.message} ${String(error.cause)}`)
  if (!isRefused) return error.message
  const refused = (scheme: string): string =>
    `Get "${scheme}://${host}/v2/": dial tcp ${host}: connect: connection refused`
  return schemeFor(host, isInsecure) === 'http' ? `${refused('https')}; ${refused('http')}` : refused('https')
}
