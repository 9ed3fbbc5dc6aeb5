import { textMap } from '../../kinds/flux-object.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { KubeClient } from '../kube/types.ts'
import type { HttpProxy } from '../net/http-proxy.ts'
import type { TlsTrust } from '../net/tls-trust.ts'

/** The decoded values of a Secret. */
export type SecretData = Readonly<Record<string, Buffer>>

/**
 * Reads a Secret.
 *
 * @throws SluiceError SECRET_MISSING (retry: backoff) when it is not there
 */
export async function readSecret(client: KubeClient, namespace: string, name: string): Promise<SecretData> {
  const secret = await client.get({ apiVersion: 'v1', kind: 'Secret', namespace, name })
  if (!secret) throw new SluiceError('SECRET_MISSING', `secrets "${name}" not found`, { retry: 'backoff' })
  return Object.fromEntries(
    Object.entries(textMap(secret, 'data')).map(([key, value]) => [key, Buffer.from(value, 'base64')]),
  )
}

/**
 * Reads a Secret that is named by more than its name, as some of Flux's readers do.
 *
 * @throws SluiceError SECRET_MISSING (retry: backoff) when it is not there
 */
export async function readNamedSecret(client: KubeClient, namespace: string, name: string): Promise<SecretData> {
  return readSecret(client, namespace, name).catch((error: unknown) => {
    if (!(error instanceof SluiceError) || error.code !== 'SECRET_MISSING') throw error
    throw new SluiceError('SECRET_MISSING', `secret '${namespace}/${name}' not found`, { retry: 'backoff' })
  })
}

/** The trust that a Secret describes: `ca.crt`, `tls.crt` and `tls.key`, or their old names; without a Secret none. */
export async function readTrust(client: KubeClient, namespace: string, name: string | undefined): Promise<TlsTrust> {
  if (name === undefined) return {}
  const trust = trustOf(await readSecret(client, namespace, name))
  const lacking = lackOf(trust)
  if (lacking !== undefined)
    throw new SluiceError('OBJECT_INVALID', `secret '${namespace}/${name}' ${lacking}`, { where: 'spec.certSecretRef' })
  if (trust.caPem !== undefined && !trust.caPem.includes('-----BEGIN CERTIFICATE-----'))
    throw new SluiceError('OBJECT_INVALID', 'failed to parse CA certificate', { where: 'spec.certSecretRef' })
  return trust
}

/** What a Secret of certificates lacks, in Flux's words. */
function lackOf({ caPem, certPem, keyPem }: TlsTrust): string | undefined {
  if (certPem !== undefined && keyPem === undefined) return "contains 'tls.crt' but missing 'tls.key'"
  if (certPem === undefined && keyPem !== undefined) return "contains 'tls.key' but missing 'tls.crt'"
  return caPem === undefined && certPem === undefined
    ? "must contain either 'ca.crt' or both 'tls.crt' and 'tls.key'"
    : undefined
}

/** The TLS part of a Secret's values. */
export function trustOf(data: SecretData): TlsTrust {
  const text = (...keys: readonly string[]): string | undefined =>
    keys
      .map((key) => data[key])
      .find((value) => value !== undefined)
      ?.toString('utf8')
  const [ca, cert, key] = [text('ca.crt', 'caFile'), text('tls.crt', 'certFile'), text('tls.key', 'keyFile')]
  return {
    ...(ca === undefined ? {} : { caPem: ca }),
    ...(cert === undefined ? {} : { certPem: cert }),
    ...(key === undefined ? {} : { keyPem: key }),
  }
}

/**
 * The proxy that `proxySecretRef` describes: `address`, and `username` and `password`.
 *
 * @throws SluiceError SECRET_MISSING; OBJECT_INVALID when the address is none
 */
export async function readProxy(
  client: KubeClient,
  namespace: string,
  name: string | undefined,
): Promise<HttpProxy | undefined> {
  if (name === undefined) return undefined
  const data = await readNamedSecret(client, namespace, name)
  const address = data['address']?.toString('utf8').trim()
  const wrong = (why: string): SluiceError =>
    new SluiceError('OBJECT_INVALID', `secret '${namespace}/${name}': ${why}`, { where: 'spec.proxySecretRef' })
  if (!address) throw wrong("key 'address' not found")
  if (!URL.canParse(address)) throw wrong('the address is no URL')
  const url = new URL(address)
  if (url.protocol !== 'http:') throw wrong(`a proxy at ${url.protocol}// is not supported, only at http://`)
  if (data['username']) url.username = encodeURIComponent(data['username'].toString('utf8'))
  if (data['password']) url.password = encodeURIComponent(data['password'].toString('utf8'))
  return { url }
}
