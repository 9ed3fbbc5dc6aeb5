import { isIP } from 'node:net'
import type { SluiceError } from '../../lib/error/sluice-error.ts'
import { DOCKER_HUB, type Repository } from '../../lib/oci/reference.ts'
import { connectFault } from '../net/connect-fault.ts'
import { NeitherScheme } from '../registry/choose-scheme.ts'
import { isNearby } from '../registry/endpoint.ts'

/** How a registry is asked that has not answered yet, as Flux's library tells it: one of this machine or a private network may be plain. */
export function schemeFor(host: string, isInsecure: boolean): 'http' | 'https' {
  return isInsecure || isNearby(host) ? 'http' : 'https'
}

/** What a registry was asked. */
export type Asked = Repository & { readonly path: string }

/** How it was asked; `scheme` is what the registry was found to speak. */
type AskedBy = { readonly isInsecure: boolean; readonly scheme?: 'http' | 'https' | undefined }

/** The first page of a repository's tags. */
export const TAG_LIST = 'tags/list?n=1000'

/** `GET http://127.0.0.1:5000/v2/app/tags/list?n=1000` */
export function requestLine(
  { host, repository, path }: Asked,
  { isInsecure, scheme = schemeFor(host, isInsecure) }: AskedBy,
): string {
  return `GET ${scheme}://${shownHost(host)}/v2/${repository}/${path}`
}

/** Flux's library knows Docker's registry by its old name. */
function shownHost(host: string): string {
  return host === DOCKER_HUB ? 'index.docker.io' : host
}

/** A fault of a registry, in the words of Flux's library where nobody listens there, or a login is wanted. */
export function registryFault(
  error: SluiceError,
  asked: Asked,
  { isInsecure, scheme, proxySecretName }: AskedBy & { readonly proxySecretName?: string | undefined },
): string {
  const { repository } = asked
  const host = shownHost(asked.host)
  if (error.code === 'REGISTRY_DENIED')
    return `${requestLine(asked, { isInsecure, scheme })}: UNAUTHORIZED: authentication required; [map[Action:pull Class: Name:${repository} Type:repository]]`
  if (error.code !== 'REGISTRY_UNREACHABLE') return error.message
  const isProxy = proxySecretName !== undefined
  const { cause } = error
  if (!(cause instanceof NeitherScheme))
    return error.message.startsWith(`registry ${asked.host}:`)
      ? attemptFault(error, 'https', host, isProxy)
      : error.message
  const [secure, plain] = cause.attempts
  return `${attemptFault(secure, 'https', host, isProxy)}; ${attemptFault(plain, 'http', host, isProxy)}`
}

/** Why a registry could not be asked by one of both schemes. */
function attemptFault(error: unknown, scheme: 'http' | 'https', host: string, isProxy: boolean): string {
  const { message, cause, code } = error as Error & { cause?: unknown; code?: string }
  if (code !== 'REGISTRY_UNREACHABLE' || !(cause instanceof Error)) return message
  const { address, port } = cause as NodeJS.ErrnoException & { address?: string; port?: number }
  const proxy = address !== undefined && isIP(address) === 6 ? `[${address}]` : address
  const at = isProxy && proxy !== undefined ? `${proxy}:${port ?? 80}` : host
  return `Get "${scheme}://${host}/v2/": ${connectFault(cause, { url: new URL(`${scheme}://${at}`), isProxy })}`
}
