import { textMap } from '../../kinds/flux-object.ts'
import { proxyAddressOf, proxyFault } from '../../kinds/proxy-secret.ts'
import { readTlsSecret } from '../../kinds/tls-secret.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { readText } from '../../lib/kube/read.ts'
import type { KubeClient } from '../kube/types.ts'
import type { HttpProxy } from '../net/http-proxy.ts'
import type { TlsTrust } from '../net/tls-trust.ts'

/** The decoded values of a Secret. */
export type SecretData = Readonly<Record<string, Buffer>>

/** A Secret with its decoded values. */
export type TypedSecret = { readonly type: string; readonly data: SecretData }

/**
 * Reads the values of a Secret.
 *
 * @throws SluiceError SECRET_MISSING (retry: backoff) when it is not there
 */
export async function readSecret(client: KubeClient, namespace: string, name: string): Promise<SecretData> {
  return (await readTypedSecret(client, namespace, name)).data
}

/** The same with its type, where that says how the values are meant. */
export async function readTypedSecret(client: KubeClient, namespace: string, name: string): Promise<TypedSecret> {
  const secret = await client.get({ apiVersion: 'v1', kind: 'Secret', namespace, name })
  if (!secret) throw new SluiceError('SECRET_MISSING', `secrets "${name}" not found`, { retry: 'backoff' })
  const values = Object.entries(textMap(secret, 'data')).map(([key, value]) => [key, Buffer.from(value, 'base64')])
  return { type: readText(secret, 'type'), data: Object.fromEntries(values) }
}

/**
 * Reads a Secret that is named by more than its name, as some of Flux's readers do.
 *
 * @throws SluiceError SECRET_MISSING (retry: backoff) when it is not there
 */
async function readNamedSecret(client: KubeClient, namespace: string, name: string): Promise<SecretData> {
  return readSecret(client, namespace, name).catch((error: unknown) => {
    throw withMissing(error, () => `secret '${namespace}/${name}' not found`)
  })
}

/** The same fault in other words where a Secret is missing. */
export function withMissing(error: unknown, words: () => string): unknown {
  if (!(error instanceof SluiceError) || error.code !== 'SECRET_MISSING') return error
  return new SluiceError('SECRET_MISSING', words(), { retry: 'backoff' })
}

/** The trust that a Secret describes; without a Secret none. */
export async function readTrust(client: KubeClient, namespace: string, name: string | undefined): Promise<TlsTrust> {
  return name === undefined ? {} : readTlsSecret(`${namespace}/${name}`, await readSecret(client, namespace, name))
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
  const address = proxyAddressOf(data)
  const place = `${namespace}/${name}`
  const isTaken = /^http:\/\//i.test(address) && URL.canParse(address)
  const fault =
    proxyFault(place, data) ?? (isTaken ? undefined : `secret '${place}': only a proxy at an http:// URL is supported`)
  if (fault !== undefined) throw new SluiceError('OBJECT_INVALID', fault, { where: 'spec.proxySecretRef' })
  const url = new URL(address)
  if (data['username']) url.username = encodeURIComponent(data['username'].toString('utf8'))
  if (data['password']) url.password = encodeURIComponent(data['password'].toString('utf8'))
  return { url }
}
