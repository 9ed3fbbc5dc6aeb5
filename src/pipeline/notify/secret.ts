import type { Provider } from '../../kinds/notification.ts'
import { proxyAddressOf, proxyFault } from '../../kinds/proxy-secret.ts'
import { checkTlsFiles, lackOf, readTlsSecret, type TlsFiles, tlsFilesOf } from '../../kinds/tls-secret.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { isRecord } from '../../lib/value/is-record.ts'
import { loadOne } from '../../lib/yaml/load.ts'
import { goSyntaxError } from '../../lib/yaml/syntax/go-syntax-error.ts'
import type { ProviderSecret } from './hook-request.ts'
import { isCommitStatusType } from './providers.ts'

/** The decoded values of a Secret. */
export type SecretData = Readonly<Record<string, Buffer>>

const LONGEST_ADDRESS = 2048

/**
 * Reads what a Provider's secret says.
 *
 * @throws SluiceError NOTIFY_PROVIDER
 */
export function readProviderSecret(data: SecretData): ProviderSecret {
  if ((data['address']?.length ?? 0) > LONGEST_ADDRESS)
    throw new SluiceError(
      'NOTIFY_PROVIDER',
      `invalid address in secret: address exceeds maximum length of ${LONGEST_ADDRESS} bytes`,
    )
  const headers = readHeaders(data)
  const creds = textOf(data, 'creds')
  const githubApp = {
    id: textOf(data, 'githubAppID'),
    installation: textOf(data, 'githubAppInstallationID'),
    privateKey: textOf(data, 'githubAppPrivateKey'),
  }
  return {
    ...given('address', data),
    ...given('token', data),
    ...given('username', data),
    ...given('password', data),
    ...(headers ? { headers } : {}),
    ...(creds === '' ? {} : { natsCredentials: creds }),
    ...given('nkey', data),
    ...(githubApp.id === '' ? {} : { githubApp }),
  }
}

/**
 * The certificates of a Provider: of `certSecretRef`, or for a Git host those that lie in its secret, where they are whole.
 *
 * @throws SluiceError NOTIFY_PROVIDER
 */
export function readTls(
  { type, namespace, certSecretName = '' }: Provider,
  certificate: SecretData | undefined,
  secret: SecretData,
): TlsFiles {
  try {
    if (certificate) return readTlsSecret(`${namespace}/${certSecretName}`, certificate)
    const files = isCommitStatusType(type) ? tlsFilesOf(secret) : {}
    if (lackOf(files) !== undefined) return {}
    checkTlsFiles(files)
    return files
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    throw new SluiceError('NOTIFY_PROVIDER', `failed to get TLS config: ${error.message}`, { cause: error })
  }
}

/**
 * The proxy as it was named once, in the open or in the secret, which counts first; '' for none.
 *
 * @throws SluiceError NOTIFY_PROVIDER
 */
export function oldProxyOf({ proxy, namespace, secretName }: Provider, secret: SecretData): string {
  const own = textOf(secret, 'proxy')
  if (own !== '' && !URL.canParse(own))
    throw new SluiceError('NOTIFY_PROVIDER', `invalid 'proxy' in secret '${namespace}/${secretName}'`)
  const found = own || proxy
  if (found !== '' && !URL.canParse(found)) throw new SluiceError('NOTIFY_PROVIDER', 'invalid proxy in spec.proxy')
  return found
}

/**
 * The proxy that a secret names.
 *
 * @throws SluiceError NOTIFY_PROVIDER
 */
export function readProxy(
  { namespace, proxySecretName = '' }: Provider,
  data: SecretData,
): { readonly url: string; readonly username?: string; readonly password?: string } {
  const url = proxyAddressOf(data)
  const fault =
    proxyFault(`${namespace}/${proxySecretName}`, data) ??
    (/^https?:\/\//i.test(url) && URL.canParse(url) ? undefined : 'only a proxy at an http(s) URL is supported')
  if (fault !== undefined) throw new SluiceError('NOTIFY_PROVIDER', `failed to get proxy URL: ${fault}`)
  return { url, ...given('username', data), ...given('password', data) }
}

function readYaml(text: string): unknown {
  try {
    return loadOne(text, 'headers')
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const why = `error converting YAML to JSON: ${goSyntaxError(error, text, 'v2')}`
    throw new SluiceError('NOTIFY_PROVIDER', `failed to read headers from secret: ${why}`, { cause: error })
  }
}

function readHeaders(data: SecretData): Record<string, string> | undefined {
  const loaded = data['headers'] ? readYaml(data['headers'].toString('utf8')) : undefined
  if (loaded === undefined || loaded === null) return undefined
  if (!isRecord(loaded)) throw headersFault(loaded, 'map[string]string')
  const pairs = Object.entries(loaded).map(([name, value]): [string, string] => {
    if (typeof value === 'object' && value !== null) throw headersFault(value, 'string')
    return [name, String(value ?? '')]
  })
  const bad = pairs.find(([name, value]) => !/^[\w!#$%&'*+.^`|~-]+$/.test(name) || /[\r\n\0]/.test(value))
  if (bad) throw new SluiceError('NOTIFY_PROVIDER', `failed to read headers from secret: "${bad[0]}" is no header`)
  return Object.fromEntries(pairs)
}

function headersFault(value: unknown, goType: string): SluiceError {
  const kind = Array.isArray(value)
    ? 'array'
    : isRecord(value)
      ? 'object'
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value
  const why = `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${kind} into Go value of type ${goType}`
  return new SluiceError('NOTIFY_PROVIDER', `failed to read headers from secret: ${why}`)
}

function textOf(data: SecretData, key: string): string {
  return data[key]?.toString('utf8').trim() ?? ''
}

function given<Key extends string>(key: Key, data: SecretData): { readonly [K in Key]?: string } {
  const value = textOf(data, key)
  return value === '' ? {} : ({ [key]: value } as { readonly [K in Key]?: string })
}
