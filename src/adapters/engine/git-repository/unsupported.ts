import type { GitRepository } from '../../../kinds/git-repository.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { goQuote } from '../../../lib/value/go-quote.ts'
import { goUrlFault } from '../../../lib/value/go-url-fault.ts'
import { parseGitUrl } from '../../git/url.ts'
import type { SecretData } from '../secrets.ts'

/** Names the first field of a GitRepository that this version does not serve; such an object is refused, never half obeyed. */
export function unsupportedField(
  repository: GitRepository,
  traps: 'safe' | 'flux',
): { readonly reason: string; readonly message: string } | undefined {
  const { provider, proxySecretName, serviceAccountName, secretName, url } = repository
  const fault = goUrlFault(url)
  // Letters that Go wants escaped in a login do no harm: safe, it goes to the host as it was meant.
  const isMeant = fault === undefined || (traps === 'safe' && fault === INVALID_LOGIN)
  if (!isMeant || !isAddress(url)) return { reason: 'URLInvalid', message: urlFault(url, fault, traps) }
  if (provider === 'github' && secretName === undefined)
    return { reason: 'InvalidProviderConfiguration', message: NEEDS_APP }
  if (provider !== 'generic' && provider !== 'github')
    return unsupported(`spec.provider ${provider}`, 'a Secret with a token works with every host')
  if (proxySecretName !== undefined && url.startsWith('ssh://'))
    return unsupported('spec.proxySecretRef with an ssh:// address', 'use https://')
  if (serviceAccountName !== undefined) return unsupported('spec.serviceAccountName', 'remove it')
  return undefined
}

const INVALID_LOGIN = 'net/url: invalid userinfo'

/** As Go's library tells it, which quotes the address without what stands behind `#` unless the fault is there. Safe, no password is told. */
function urlFault(url: string, fault: string | undefined, traps: 'safe' | 'flux'): string {
  const shown = traps === 'flux' ? url : withoutPassword(url)
  const failed = `failed to parse url '${shown}'`
  if (fault === undefined) return failed
  // what the fault quotes may be a part of the password
  if (shown !== url) return `${failed}: parse ${goQuote(shown)}: ${fault.replace(/ ?".*"/s, '')}`
  const [address = ''] = url.split('#', 1)
  return `${failed}: parse ${goQuote(goUrlFault(address) === undefined ? url : address)}: ${fault}`
}

/** Of an address that cannot be read nobody knows where its password ends: at the last `@`. */
function withoutPassword(url: string): string {
  return url
    .replace(/^([a-z][a-z0-9+.-]*:\/+[^@:]*:|[^/@:]*:(?!\/)).*@/is, '$1***@')
    .replace(/^(https?:\/+)[^/@:]+@/is, '$1***@')
}

const APP_KEY = 'githubAppID'
const APP_KEYS = [APP_KEY, 'githubAppPrivateKey']
const NEEDS_APP = 'secretRef with github app data must be specified when provider is set to github'

/** Names what is wrong with the keys of a GitHub App in a Secret: Flux tries again, the Secret may change. */
export function appFault({ provider, namespace, secretName }: GitRepository, data: SecretData): string | undefined {
  if (provider === 'github') return APP_KEYS.every((key) => data[key] !== undefined) ? undefined : NEEDS_APP
  return (data[APP_KEY]?.length ?? 0) > 0
    ? `secretRef '${namespace}/${secretName}' has github app data but provider is not set to github`
    : undefined
}

/** What a GitHub App's keys are refused with. */
export const NO_APPS = unsupported('spec.provider github', 'a Secret with a token works with every host')

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
