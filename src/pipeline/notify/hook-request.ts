import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { Provider } from '../../kinds/notification.ts'
import type { NatsLogin, NatsServer } from '../../lib/nats/handshake.ts'
import type { Message } from './message.ts'

/** What a Provider's secret may hold. */
export type ProviderSecret = {
  readonly address?: string
  readonly token?: string
  readonly username?: string
  readonly password?: string
  readonly headers?: Readonly<Record<string, string>>
  /** A credentials file of NATS, or the seed of a key of its. */
  readonly natsCredentials?: string
  readonly nkey?: string
  readonly githubApp?: { readonly id: string; readonly installation: string; readonly privateKey: string }
}

/** One HTTP request to make. */
export type HookRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Statuses besides 2xx that are an answer, too. */
  readonly alsoTaken?: readonly number[]
}

/** One message to publish to NATS, which is not HTTP; the answer to it is empty. */
export type NatsPublish = {
  readonly protocol: 'nats'
  readonly servers: readonly NatsServer[]
  /** For servers whose address holds no login. */
  readonly login: NatsLogin
  readonly subject: string
  readonly payload: string
}

/** What came back. */
export type HookAnswer = { readonly status: number; readonly text: string }

/**
 * What is said to a receiver: each request is yielded, and its answer comes back. So a conversation of several requests stays a pure
 * value, and the one who carries it out knows no receiver.
 */
export type Conversation = Generator<HookRequest | NatsPublish, void, HookAnswer>

/** What every receiver's type is given. */
export type Parcel = {
  readonly message: Message
  /** With the address that counts: the secret's, or the Provider's own. */
  readonly provider: Provider
  readonly secret: ProviderSecret
  /** Name of the commit status; '' for other types. */
  readonly commitStatus: string
  readonly alert: { readonly namespace: string; readonly name: string; readonly uid: string }
  readonly nowMs: number
  readonly traps: 'safe' | 'flux'
}

/** A receiver's type. */
export type Converse = (parcel: Parcel) => Conversation

/** Says one thing and ignores the answer. */
export function saying(make: (parcel: Parcel) => HookRequest): Converse {
  return function* (parcel) {
    yield make(parcel)
  }
}

/** A POST of JSON. */
export function post(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}): HookRequest {
  return {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  }
}

/** `Authorization: Bearer …`; none without a token. */
export function bearer(token: string | undefined): Record<string, string> {
  return token === undefined || token === '' ? {} : { authorization: `Bearer ${token}` }
}

/** `Authorization: Basic …`; none without both. */
export function basic(username: string | undefined, password: string | undefined): Record<string, string> {
  if (username === undefined || password === undefined) return {}
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
}

/** `kustomization/app.default`: how chats name an object. */
export function nameOf({ involvedObject: { kind, name, namespace } }: Message): string {
  return `${kind.toLowerCase()}/${name}.${namespace}`
}

/** Metadata in the order of its keys. */
export function metadataOf({ metadata }: Message): readonly (readonly [string, string])[] {
  return Object.entries(metadata ?? {})
}

/** Whether the message is about something that goes on; such ones are not for incidents and commit statuses. */
export function isProgress({ reason }: Message): boolean {
  return reason === 'Progressing'
}

/** `kustomization/app`, and its reason in words: `HealthCheckFailed` -> `health check failed`. */
export function nameAndReason({ involvedObject, reason }: Message): { readonly name: string; readonly words: string } {
  const parts = reason.match(/\p{Lu}+(?!\p{Ll})|\p{Lu}\p{Ll}*|\p{Ll}+|\p{Nd}+|[^\p{L}\p{Nd}]+/gu) ?? []
  return { name: `${involvedObject.kind}/${involvedObject.name}`.toLowerCase(), words: parts.join(' ').toLowerCase() }
}

/** A Provider that cannot be used as it is. */
export function unusable({ namespace, name }: Provider, message: string, field: string): SluiceError {
  return new SluiceError('NOTIFY_PROVIDER', message, { where: `Provider/${namespace}/${name} ${field}` })
}
