import type { SluiceError } from '../../lib/error/sluice-error.ts'
import type { Repository } from '../../lib/oci/reference.ts'

/** How a registry is asked by Flux's library: a host of this machine may answer in plain HTTP, too. */
export function schemeFor(host: string, isInsecure: boolean): 'http' | 'https' {
  return isInsecure || /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$|\.local(:\d+)?$/.test(host) ? 'http' : 'https'
}

/** What a registry was asked. */
export type Asked = Repository & { readonly path: string }

/** The first page of a repository's tags. */
export const TAG_LIST = 'tags/list?n=1000'

/** `GET http://127.0.0.1:5000/v2/app/tags/list?n=1000` */
export function requestLine(
  { host, repository, path }: Asked,
  { isInsecure }: { readonly isInsecure: boolean },
): string {
  return `GET ${schemeFor(host, isInsecure)}://${host}/v2/${repository}/${path}`
}

/** A fault of a registry, in the words of Flux's library where nobody listens there, or a login is wanted. */
export function registryFault(
  error: SluiceError,
  asked: Asked,
  { isInsecure, proxySecretName }: { readonly isInsecure: boolean; readonly proxySecretName?: string | undefined },
): string {
  const { host, repository } = asked
  if (error.code === 'REGISTRY_DENIED')
    return `${requestLine(asked, { isInsecure })}: UNAUTHORIZED: authentication required; [map[Action:pull Class: Name:${repository} Type:repository]]`
  const refusedAt = /ECONNREFUSED(?: (\S+))?/.exec(`${error.message} ${String(error.cause)}`)
  if (error.code !== 'REGISTRY_UNREACHABLE' || !refusedAt) return error.message
  const [at, step] = proxySecretName === undefined ? [host, ''] : [refusedAt[1] ?? host, 'proxyconnect tcp: ']
  const refused = (scheme: string): string =>
    `Get "${scheme}://${host}/v2/": ${step}dial tcp ${at}: connect: connection refused`
  return schemeFor(host, isInsecure) === 'http' ? `${refused('https')}; ${refused('http')}` : refused('https')
}
