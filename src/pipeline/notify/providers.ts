import { compileCel } from '../../lib/cel/compile.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import type { Provider } from '../../kinds/notification.ts'
import { own } from '../../lib/value/own.ts'
import { addressFault } from './address.ts'
import { CHANGE_REQUESTS } from './change-request.ts'
import { CHATS } from './chat.ts'
import { COMMIT_STATUSES } from './commit-status.ts'
import { PROGRAMS } from './generic.ts'
import { type Conversation, type Converse, type Parcel, unusable } from './hook-request.ts'
import { azureEventHub } from './event-hub.ts'
import { googlePubSub } from './google-pubsub.ts'
import { INCIDENTS } from './incident.ts'
import type { EventMarks, Message } from './message.ts'
import { nats } from './nats.ts'

const ACCOUNT = 'spec.serviceAccountName'

/** Receivers that are queues: the event lies in them as it is. */
const QUEUES: Readonly<Record<string, Converse>> = { nats, googlepubsub: googlePubSub, azureeventhub: azureEventHub }

const TYPES: Readonly<Record<string, Converse>> = {
  ...PROGRAMS,
  ...CHATS,
  ...INCIDENTS,
  ...COMMIT_STATUSES,
  ...CHANGE_REQUESTS,
  ...QUEUES,
}

/** Whether a type shows a status beside a commit. */
export function isCommitStatusType(type: string): boolean {
  return Object.hasOwn(COMMIT_STATUSES, type)
}

/** Whether a Provider's type is to hear of a message at all. */
export function isFor({ type }: Provider, message: Message, marks: EventMarks): boolean {
  if (isCommitStatusType(type)) return marks.hasCommit || marks.isCommitStatusUpdate || message.severity === 'error'
  if (type.endsWith('requestcomment')) return marks.hasChangeRequest && !marks.isCommitStatusUpdate
  return type === 'generic' || type === 'generic-hmac' || !marks.isCommitStatusUpdate
}

const OWN_WORDS: Readonly<Record<string, string>> = {
  datadog: 'failed to post event to DataDog: ',
  pagerduty: 'failed sending event: ',
}
const PLAIN = new Set(['azureeventhub', 'googlepubsub', 'lark', 'nats', 'otel', 'sentry', 'telegram', 'zulip'])

/** What Flux says before the reason, when a receiver of this type takes nothing. */
export function failureWords(type: string): string {
  if (Object.hasOwn(OWN_WORDS, type)) return OWN_WORDS[type] ?? ''
  const isPlain = PLAIN.has(type) || [COMMIT_STATUSES, CHANGE_REQUESTS].some((types) => Object.hasOwn(types, type))
  return isPlain ? '' : 'postMessage failed: '
}

/**
 * What is to be said to the receiver of a Provider.
 *
 * @throws SluiceError NOTIFY_PROVIDER, once it begins, for a type that is not supported, or a Provider that lacks something
 */
export function* converse(parcel: Parcel): Conversation {
  const { provider, secret } = parcel
  const address = secret.address ?? provider.address
  const { type } = provider
  const speak = own(TYPES, type)
  if (!speak) throw unusable(provider, `provider ${type} not supported`, 'spec.type')
  if (isCommitStatusType(type) && parcel.commitStatus === '')
    throw unusable(provider, 'commit status cannot be empty', 'spec.commitStatusExpr')
  // Whatever Flux finds wrong with an Event Hub's logins comes first.
  if (provider.serviceAccountName !== '' && type !== 'azureeventhub')
    throw unusable(provider, 'workload identity is not supported: remove spec.serviceAccountName', ACCOUNT)
  if (type === 'telegram' || [COMMIT_STATUSES, CHANGE_REQUESTS, QUEUES].some((types) => Object.hasOwn(types, type)))
    return yield* speak({ ...parcel, provider: { ...provider, address } })
  const fault = addressFault(provider, address, parcel.traps)
  if (fault) throw fault
  yield* speak({ ...parcel, provider: { ...provider, address } })
}

/** What a commit status may be named by. */
export type StatusNaming = {
  readonly message: Message
  readonly provider: Provider
  readonly providerObject: KubeObject
  readonly alertObject: KubeObject
  readonly guard?: (run: () => unknown) => unknown
}

/**
 * The name of a commit status: `kustomization/app/<first part of the Provider's uid>`, or what `spec.commitStatusExpr` says; '' for other types.
 *
 * @throws SluiceError NOTIFY_PROVIDER when the expression cannot work
 */
export function commitStatusName({ message, provider, providerObject, alertObject, guard }: StatusNaming): string {
  if (!isCommitStatusType(provider.type)) return ''
  const { kind, name } = message.involvedObject
  if (provider.commitStatusExpr === '') return `${kind}/${name}/${provider.uid.split('-')[0] ?? ''}`.toLowerCase()
  try {
    const variables = ['event', 'alert', 'provider']
    const options = { variables, output: 'string', ...(guard ? { guard } : {}) } as const
    const cel = compileCel(provider.commitStatusExpr, options)
    return cel.evaluateString({ event: message, alert: alertObject, provider: providerObject })
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const why = error.code === 'CEL_INVALID' ? `failed to compile expression: ${error.message}` : error.message
    throw new SluiceError(
      'NOTIFY_PROVIDER',
      `failed to create commit status: failed to evaluate the spec.commitStatusExpr CEL expression for the event: ${why}`,
      { where: `Provider/${provider.namespace}/${provider.name} spec.commitStatusExpr`, cause: error },
    )
  }
}
