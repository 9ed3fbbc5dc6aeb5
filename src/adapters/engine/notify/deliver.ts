import { parseProvider, type Provider } from '../../../kinds/notification.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { loadOne } from '../../../lib/yaml/load.ts'
import type { Message } from '../../../pipeline/notify/message.ts'
import { buildRequest, type ProviderSecret } from '../../../pipeline/notify/payload.ts'
import type { AbsorbingCache } from '../../kube/types.ts'
import { sendRequest } from '../../notify/send.ts'
import type { EngineContext } from '../context.ts'
import { readSecret } from '../git-repository/login.ts'

/** A message on its way to the Provider of an Alert. */
export type Post = { readonly alert: string; readonly provider: string; readonly message: Message }

/**
 * Sends a message to its Provider.
 *
 * @throws SluiceError in Flux's words when the Provider, its secret or the receiver is at fault
 */
export async function deliver(
  context: EngineContext,
  providers: AbsorbingCache,
  { alert, provider: name, message }: Post,
): Promise<void> {
  const [namespace = ''] = alert.split('/')
  const { kind, namespace: of, name: what } = message.involvedObject
  const about = `${kind}/${of}/${what}`
  const object = providers.get(namespace, name)
  if (!object)
    throw new SluiceError(
      'NOTIFY_PROVIDER',
      `failed to dispatch notification for ${about}: failed to read provider: Provider.notification.toolkit.fluxcd.io "${name}" not found`,
    )
  const provider = parseProvider(object)
  if (provider.isSuspended) return
  const { request, caPem } = await prepare(context, provider, message).catch((error: unknown) => {
    if (!(error instanceof Error)) throw error
    throw new SluiceError(
      'NOTIFY_PROVIDER',
      `failed to dispatch notification for ${about}: failed to initialize notifier for provider '${name}': ${error.message}`,
    )
  })
  if (!request) return
  const options = {
    timeoutMs: provider.timeoutMs,
    reach: process.env['SLUICE_NOTIFY_REACH'] === 'public' ? ('public' as const) : ('any' as const),
    userAgent: context.traps === 'flux' ? 'Go-http-client/1.1' : 'sluice',
    ...(caPem === undefined ? {} : { caPem }),
  }
  await sendRequest(request, options).catch((error: unknown) => {
    if (!(error instanceof SluiceError)) throw error
    // Flux tries until its time is up, and then says that only.
    const reason = context.traps === 'flux' ? 'failed to execute request: context deadline exceeded' : error.message
    throw new SluiceError(error.code, `failed to send notification for ${about}: postMessage failed: ${reason}`, {
      retry: 'backoff',
    })
  })
}

async function prepare({ client }: EngineContext, provider: Provider, message: Message) {
  if (provider.hasProxy)
    throw new SluiceError('NOTIFY_PROVIDER', 'proxies are not supported: remove spec.proxySecretRef and spec.proxy')
  const read = (secret: string) =>
    readSecret(client, provider.namespace, secret).catch((error: unknown) => {
      throw new SluiceError(
        'SECRET_MISSING',
        `failed to get secret '${provider.namespace}/${secret}': ${error instanceof Error ? error.message : ''}`,
      )
    })
  const data = provider.secretName === undefined ? {} : await read(provider.secretName)
  const certificate = provider.certSecretName === undefined ? {} : await read(provider.certSecretName)
  const caPem = (certificate['ca.crt'] ?? certificate['caFile'])?.toString('utf8')
  return { request: buildRequest(message, provider, secretOf(data)), caPem }
}

function secretOf(data: Readonly<Record<string, Buffer>>): ProviderSecret {
  const text = (key: string): Record<string, string> => {
    const value = data[key]?.toString('utf8').trim()
    return value === undefined || value === '' ? {} : { [key]: value }
  }
  const headers = data['headers'] ? loadOne(data['headers'].toString('utf8'), 'headers') : undefined
  const pairs =
    typeof headers === 'object' && headers !== null
      ? Object.entries(headers).map(([name, value]) => [name, String(value)])
      : []
  return {
    ...text('address'),
    ...text('token'),
    ...text('username'),
    ...text('password'),
    ...(pairs.length > 0 ? { headers: Object.fromEntries(pairs) } : {}),
  }
}
