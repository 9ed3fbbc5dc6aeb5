import { createHash, createHmac } from 'node:crypto'
import type { Provider } from '../../kinds/notification.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { isCommitStatusUpdate, type Message } from './message.ts'

/** What a Provider's secret may hold. */
export type ProviderSecret = {
  readonly address?: string
  readonly token?: string
  readonly username?: string
  readonly password?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** One HTTP request to make. */
export type HookRequest = {
  readonly method: 'POST' | 'PUT'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

type Builder = (message: Message, provider: Provider, secret: ProviderSecret) => HookRequest

const JSON_TYPE = { 'content-type': 'application/json' }

/**
 * Makes the request that a Provider's type asks for; undefined when such a receiver is not to hear of this message.
 *
 * @throws SluiceError NOTIFY_PROVIDER for a type that is not supported, or without an address
 */
export function buildRequest(message: Message, provider: Provider, secret: ProviderSecret): HookRequest | undefined {
  const build = Object.hasOwn(BUILDERS, provider.type) ? BUILDERS[provider.type] : undefined
  if (!build)
    throw new SluiceError(
      'NOTIFY_PROVIDER',
      `provider type "${provider.type}" is not supported yet (supported: ${Object.keys(BUILDERS).join(', ')})`,
      {
        where: `Provider/${provider.namespace}/${provider.name} spec.type`,
      },
    )
  if (!provider.type.startsWith('generic') && isCommitStatusUpdate(message)) return undefined
  const address = secret.address ?? provider.address
  if (!/^https?:\/\//.test(address))
    throw new SluiceError(
      'NOTIFY_PROVIDER',
      address === '' ? 'the provider has no address' : 'the address is not an http(s) URL',
      {
        where: `Provider/${provider.namespace}/${provider.name} spec.address`,
      },
    )
  return build(message, { ...provider, address }, secret)
}

const BUILDERS: Readonly<Record<string, Builder>> = {
  generic: (message, provider, secret) => generic(message, provider, secret),
  'generic-hmac': (message, provider, secret) => signed(generic(message, provider, secret), provider, secret),
  slack: (message, { address, channel, username }, { token }) =>
    post(address, chat(message, { channel, username, fallback: true, good: 'good', bad: 'danger' }), bearer(token)),
  discord: (message, { address, username }) =>
    post(
      address.endsWith('/slack') ? address : `${address}/slack`,
      chat(message, { channel: '', username: username || 'discord', fallback: false, good: 'good', bad: 'danger' }),
    ),
  rocket: (message, { address, channel, username }) =>
    post(address, chat(message, { channel, username, fallback: false, good: '#0076D7', bad: '#FF0000' })),
  msteams: (message, { address }) => post(address, teamsCard(message)),
  webex: (message, { address, channel }, { token }) =>
    post(address, { roomId: channel, markdown: webexText(message) }, bearer(token)),
  matrix: (message, provider, { token }) => matrix(message, provider, token),
  grafana: (message, { address }, { token, username, password }) =>
    post(address, grafana(message), token === undefined ? basic(username, password) : bearer(token)),
  alertmanager: (message, { address }, { token, username, password }) =>
    post(address, alertmanager(message), token === undefined ? basic(username, password) : bearer(token)),
  opsgenie: (message, { address }, { token }) =>
    post(address, opsgenie(message), token === undefined ? {} : { authorization: `GenieKey ${token}` }),
}

function generic(message: Message, { address }: Provider, { headers = {} }: ProviderSecret): HookRequest {
  return post(address, message, { 'gotk-component': message.reportingController, ...lower(headers) })
}

function signed(request: HookRequest, provider: Provider, { token }: ProviderSecret): HookRequest {
  if (token === undefined || token === '')
    throw new SluiceError('NOTIFY_PROVIDER', 'generic-hmac needs a secret with a token', {
      where: `Provider/${provider.namespace}/${provider.name} spec.secretRef`,
    })
  const signature = createHmac('sha256', token).update(request.body).digest('hex')
  return { ...request, headers: { ...request.headers, 'x-signature': `sha256=${signature}` } }
}

function post(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}): HookRequest {
  return { method: 'POST', url, headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(body) }
}

function lower(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` }
}

function basic(username: string | undefined, password: string | undefined): Record<string, string> {
  if (username === undefined || password === undefined) return {}
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
}

/** `kustomization/app.default`: how chats name an object. */
function nameOf({ involvedObject: { kind, name, namespace } }: Message): string {
  return `${kind.toLowerCase()}/${name}.${namespace}`
}

function metadataOf({ metadata }: Message): readonly (readonly [string, string])[] {
  return Object.entries(metadata ?? {})
}

type ChatStyle = {
  readonly channel: string
  readonly username: string
  readonly fallback: boolean
  readonly good: string
  readonly bad: string
}

/** The attachment of Slack's webhooks, which Discord and Rocket.Chat take too. */
function chat(message: Message, { channel, username, fallback, good, bad }: ChatStyle): object {
  return {
    channel,
    username,
    icon_url: '',
    icon_emoji: '',
    attachments: [
      {
        fallback: fallback ? `${nameOf(message)}: ${message.message}`.trimEnd() : '',
        color: message.severity === 'error' ? bad : good,
        author_name: nameOf(message),
        text: message.message,
        mrkdwn_in: ['text'],
        fields: metadataOf(message).map(([title, value]) => ({ title, value, short: false })),
      },
    ],
  }
}

function teamsCard(message: Message): object {
  const color = message.severity === 'error' ? { color: 'attention' } : {}
  const facts = metadataOf(message).map(([title, value]) => ({ title, value }))
  const items = [
    { type: 'TextBlock', text: nameOf(message), size: 'large', weight: 'bolder', wrap: true },
    { type: 'TextBlock', text: message.message, ...color, wrap: true },
    ...(facts.length > 0 ? [{ type: 'FactSet', facts }] : []),
  ]
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [{ type: 'Container', items }],
    msteams: { width: 'Full' },
  }
  return { type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }] }
}

function webexText(message: Message): string {
  const mark = message.severity === 'error' ? '💣' : '✅'
  const metadata = metadataOf(message).map(([key, value]) => `>**${key}**: ${value}\n`)
  return `${mark} **${nameOf(message)}**\n${message.message}\n${metadata.join('')}`
}

function matrix(message: Message, { address, channel }: Provider, token: string | undefined): HookRequest {
  const mark = message.severity === 'error' ? '🚨' : '💫'
  const metadata = metadataOf(message).map(([key, value]) => `- ${key}: ${value}\n`)
  const body = { body: `${mark} ${nameOf(message)}\n${message.message}\n${metadata.join('')}`, msgtype: 'm.text' }
  const id = createHash('sha1').update(JSON.stringify(message)).digest('hex')
  const url = `${address}/_matrix/client/r0/rooms/${encodeURIComponent(channel).replace('%21', '!')}/send/m.room.message/${id}`
  return { ...post(url, body, bearer(token)), method: 'PUT' }
}

function grafana(message: Message): object {
  const { kind, name, namespace } = message.involvedObject
  const metadata = metadataOf(message).map(([key, value]) => `${key}: ${value.replaceAll(':', '|')}`)
  const tags = [
    'flux',
    message.reportingController,
    ...metadata,
    `kind: ${kind}`,
    `name: ${name}`,
    `namespace: ${namespace}`,
  ]
  return { when: Math.floor(Date.parse(message.timestamp) / 1000), text: nameOf(message), tags }
}

function alertmanager(message: Message): object {
  const { involvedObject, reason, severity, timestamp, reportingController } = message
  const { kind, name, namespace } = involvedObject
  const { summary, ...rest } = message.metadata ?? {}
  const title = reason.slice(0, 1).toUpperCase() + reason.slice(1).toLowerCase()
  const labels = {
    ...rest,
    alertname: `Flux${kind}${title}`,
    kind,
    name,
    namespace,
    reason,
    reportingcontroller: reportingController,
    severity,
  }
  const annotations = { message: message.message, ...(summary === undefined ? {} : { summary }) }
  return [{ status: 'firing', labels, annotations, startsAt: timestamp, endsAt: timestamp }]
}

function opsgenie({ involvedObject: { kind, name }, message, metadata, severity }: Message): object {
  return { message: `${kind}/${name}`, description: message, details: { ...metadata, severity } }
}
