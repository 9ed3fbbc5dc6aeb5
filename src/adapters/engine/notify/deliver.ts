import { parseProvider, type Provider } from '../../../kinds/notification.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Conversation } from '../../../pipeline/notify/hook-request.ts'
import type { EventMarks, Message } from '../../../pipeline/notify/message.ts'
import { commitStatusName, converse, failureWords, isFor } from '../../../pipeline/notify/providers.ts'
import { oldProxyOf, readProviderSecret, readProxy, readTls, type SecretData } from '../../../pipeline/notify/secret.ts'
import { boundedExpression } from '../bounded-expression.ts'
import type { AbsorbingCache } from '../../kube/types.ts'
import { hold, type SendOptions } from '../../notify/send.ts'
import type { EngineContext } from '../context.ts'
import { readSecret } from '../secrets.ts'

/** A message on its way to the Provider of an Alert. */
export type Post = {
  readonly alert: string
  readonly provider: string
  readonly message: Message
  readonly marks: EventMarks
}

/** Alerts and Providers as they are now. */
export type Notifiers = { readonly alerts: AbsorbingCache; readonly providers: AbsorbingCache }

/**
 * Sends a message to its Provider; false when it is not for it, or nothing is to be sent.
 *
 * @throws SluiceError in Flux's words when the Provider, its secret or the receiver is at fault
 */
export async function deliver(context: EngineContext, { alerts, providers }: Notifiers, post: Post): Promise<boolean> {
  const { message, marks } = post
  const { traps } = context
  const [namespace = '', alertName = ''] = post.alert.split('/')
  const { kind, namespace: of, name: what } = message.involvedObject
  const about = `${kind}/${of}/${what}`
  const object = providers.get(namespace, post.provider)
  const alert = alerts.get(namespace, alertName)
  if (!alert) return false
  if (!object)
    throw new SluiceError(
      'NOTIFY_PROVIDER',
      `failed to dispatch notification for ${about}: failed to read provider: Provider.notification.toolkit.fluxcd.io "${post.provider}" not found`,
    )
  const provider = parseProvider(object)
  if (provider.isSuspended || !isFor(provider, message, marks)) return false
  const { conversation, options } = await prepare(context, { provider, object, alert, message }).catch(
    (error: unknown) => {
      throw undispatched(about, error)
    },
  )
  await hold(conversation, options).catch((error: unknown) => {
    if (!(error instanceof SluiceError)) throw error
    // A Provider that lacks something is found out by its own part of the conversation; Flux asks it before anything is sent.
    if (error.code === 'NOTIFY_PROVIDER' && error.where !== undefined)
      throw undispatched(about, uninitialized(provider, error))
    // Flux tries until its time is up, and then says that only.
    const isOver =
      traps === 'flux' && error.code === 'NOTIFY_FAILED' && error.retry === 'backoff' && provider.type !== 'nats'
    const reason = isOver ? 'failed to execute request: context deadline exceeded' : error.message
    const words = `failed to send notification for ${about}: ${failureWords(provider.type)}${reason}`
    throw new SluiceError(error.code, words, {
      ...{ retry: error.retry, where: `Provider/${namespace}/${provider.name}` },
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    })
  })
  return true
}

/** What kept a message from being sent at all. */
function undispatched(about: string, error: unknown): unknown {
  if (!(error instanceof SluiceError)) return error
  return new SluiceError('NOTIFY_PROVIDER', `failed to dispatch notification for ${about}: ${error.message}`, {
    ...(error.where === undefined ? {} : { where: error.where }),
  })
}

/** What the receiver's own part finds wrong with its Provider. */
function uninitialized({ name }: Provider, error: SluiceError): SluiceError {
  const message = `failed to initialize notifier for provider '${name}': failed to initialize notifier: ${error.message}`
  return new SluiceError('NOTIFY_PROVIDER', message, { ...(error.where === undefined ? {} : { where: error.where }) })
}

type Needs = {
  readonly provider: Provider
  readonly object: KubeObject
  readonly alert: KubeObject
  readonly message: Message
}

async function prepare(
  context: EngineContext,
  { provider, object, alert, message }: Needs,
): Promise<{ readonly conversation: Conversation; readonly options: SendOptions }> {
  const { clock, traps, hookReach, within } = context
  const naming = { message, provider, providerObject: object, alertObject: alert, guard: boundedExpression }
  const commitStatus = commitStatusName(naming)
  const { secret, ...connection } = await readSecrets(context, provider).catch((error: unknown) => {
    if (!(error instanceof SluiceError)) throw error
    throw new SluiceError(error.code, `failed to initialize notifier for provider '${provider.name}': ${error.message}`)
  })
  const { namespace = '', name, uid = '' } = alert.metadata
  const parcel = {
    message,
    provider,
    commitStatus,
    traps,
    nowMs: clock.nowMs(),
    secret,
    alert: { namespace, name, uid },
  }
  const userAgent = traps === 'flux' ? 'Go-http-client/1.1' : 'sluice'
  return {
    conversation: converse(parcel),
    options: { timeoutMs: provider.timeoutMs, within, reach: hookReach, userAgent, ...connection },
  }
}

async function readSecrets(context: EngineContext, provider: Provider) {
  const secret = (await readOptional(context, provider, provider.secretName)) ?? {}
  const read = readProviderSecret(secret)
  const proxySecret = await readOptional(context, provider, provider.proxySecretName)
  const oldProxy = oldProxyOf(provider, secret)
  const proxy = proxySecret ? readProxy(provider, proxySecret) : oldProxy === '' ? undefined : { url: oldProxy }
  const certificate = await readOptional(context, provider, provider.certSecretName)
  return { secret: read, ...readTls(provider, certificate, secret), ...(proxy ? { proxy } : {}) }
}

async function readOptional(
  { client }: EngineContext,
  { namespace }: Provider,
  name: string | undefined,
): Promise<SecretData | undefined> {
  if (name === undefined) return undefined
  try {
    return await readSecret(client, namespace, name)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    throw new SluiceError('SECRET_MISSING', `failed to get secret '${namespace}/${name}': ${error.message}`, {
      cause: error,
    })
  }
}
