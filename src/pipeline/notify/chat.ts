import { createHash } from 'node:crypto'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import {
  basic,
  bearer,
  type Converse,
  metadataOf,
  nameOf,
  type Parcel,
  post,
  saying,
  unusable,
} from './hook-request.ts'
import { markdownOf } from './markdown.ts'
import type { Message } from './message.ts'

/** Receivers where people talk. */
export const CHATS: Readonly<Record<string, Converse>> = {
  slack: function* ({ message, provider: { address, channel, username }, secret: { token } }) {
    const style = {
      channel,
      username: username || message.reportingController,
      fallback: true,
      good: 'good',
      bad: 'danger',
    }
    const answer = yield post(address, attachment(message, style), bearer(token))
    // Slack's API answers 200 to what it does not do.
    if (address === 'https://slack.com/api/chat.postMessage' && !/"ok"\s*:\s*true/.test(answer.text))
      throw new SluiceError('NOTIFY_FAILED', `Slack responded with error: ${slackError(answer.text)}`, {
        retry: 'backoff',
      })
  },
  discord: saying(({ message, provider: { address, username } }) => {
    const style = { channel: '', username: username || message.reportingController, fallback: false }
    const url = address.endsWith('/slack') ? address : `${address.replace(/\/$/, '')}/slack`
    return post(url, attachment(message, { ...style, good: 'good', bad: 'danger' }))
  }),
  rocket: saying(({ message, provider: { address, channel, username } }) =>
    post(address, attachment(message, { channel, username, fallback: false, good: '#0076D7', bad: '#FF0000' })),
  ),
  msteams: saying(({ message, provider: { address } }) =>
    post(
      address,
      /\.webhook\.office\.com$/.test(new URL(address).hostname) ? connectorCard(message) : adaptiveCard(message),
    ),
  ),
  googlechat: saying(({ message, provider: { address } }) => post(address, googleCard(message))),
  webex: saying(({ message, provider: { address, channel }, secret: { token = '' } }) =>
    post(
      address,
      { ...(channel === '' ? {} : { roomId: channel }), markdown: webexText(message) },
      {
        authorization: `Bearer ${token}`,
      },
    ),
  ),
  telegram: saying(telegram),
  lark: saying(({ message, provider: { address } }) => post(address, larkCard(message))),
  matrix: saying(({ message, provider: { address, channel }, secret: { token = '' } }) => {
    const id = createHash('sha1').update(JSON.stringify(message)).digest('hex')
    const room = encodeURIComponent(channel).replaceAll('%21', '!').replaceAll('%3A', ':')
    const url = `${address}/_matrix/client/r0/rooms/${room}/send/m.room.message/${id}`
    return {
      ...post(url, { body: matrixText(message), msgtype: 'm.text' }, { authorization: `Bearer ${token}` }),
      method: 'PUT',
    }
  }),
  zulip: saying(zulip),
  zoom: saying(({ message, provider, secret: { token = '' } }) => {
    if (token === '') throw unusable(provider, 'empty Zoom verification token', 'spec.secretRef')
    const url = new URL(provider.address)
    if (!url.searchParams.get('format')) url.searchParams.set('format', 'full')
    return post(url.href, { content: zoomContent(message) }, { authorization: token })
  }),
}

type ChatStyle = {
  readonly channel: string
  readonly username: string
  readonly fallback: boolean
  readonly good: string
  readonly bad: string
}

/** The attachment of Slack's webhooks, which Discord and Rocket.Chat take too. */
function attachment(message: Message, { channel, username, fallback, good, bad }: ChatStyle): object {
  return {
    channel,
    username,
    icon_url: '',
    icon_emoji: '',
    attachments: [
      {
        fallback: fallback ? `${nameOf(message)}: ${message.message.split('\n')[0] ?? ''}` : '',
        color: message.severity === 'error' ? bad : good,
        author_name: nameOf(message),
        text: message.message,
        mrkdwn_in: ['text'],
        fields: metadataOf(message).map(([title, value]) => ({ title, value, short: false })),
      },
    ],
  }
}

function slackError(text: string): string {
  return /"error"\s*:\s*"([^"]*)"/.exec(text)?.[1] ?? ''
}

/** Teams' old connectors. */
function connectorCard(message: Message): object {
  const facts = metadataOf(message).map(([name, value]) => ({ name, value }))
  return {
    '@type': 'MessageCard',
    '@context': 'http://schema.org/extensions',
    themeColor: message.severity === 'error' ? 'FF0000' : '0076D7',
    summary: nameOf(message),
    sections: [{ activityTitle: message.message, activitySubtitle: nameOf(message), facts }],
  }
}

function adaptiveCard(message: Message): object {
  const color = message.severity === 'error' ? { color: 'attention' } : {}
  const pairs = metadataOf(message)
  const facts = [...pairs.filter(([key]) => key === 'summary'), ...pairs.filter(([key]) => key !== 'summary')]
  const items = [
    { type: 'TextBlock', text: nameOf(message), size: 'large', weight: 'bolder', wrap: true },
    { type: 'TextBlock', text: message.message, ...color, wrap: true },
    { type: 'FactSet', ...(facts.length > 0 ? { facts: facts.map(([title, value]) => ({ title, value })) } : {}) },
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

function googleCard(message: Message): object {
  const text = message.severity === 'error' ? `<font color="#ff0000">${message.message}</font>` : message.message
  const facts = metadataOf(message).map(([topLabel, content]) => ({
    textParagraph: null,
    keyValue: { topLabel, content, contentMultiline: false, bottomLabel: null, icon: null },
  }))
  const sections = [
    { header: '', widgets: [{ textParagraph: { text }, keyValue: null }] },
    ...(facts.length > 0 ? [{ header: '', widgets: facts }] : []),
  ]
  const header = { title: nameOf(message), subtitle: message.reportingController, imageUrl: null, imageStyle: null }
  return { cards: [{ header, sections }] }
}

function webexText(message: Message): string {
  const mark = message.severity === 'error' ? '💣' : '✅'
  const metadata = metadataOf(message).map(([key, value]) => `>**${key}**: ${value}\n`)
  return `${mark} **${nameOf(message)}**\n${message.message}\n${metadata.join('')}`
}

function telegram({ message, provider, secret: { token = '' } }: Parcel) {
  if (provider.channel === '') throw unusable(provider, 'empty Telegram channel', 'spec.channel')
  if (token === '') throw unusable(provider, 'empty Telegram token', 'spec.secretRef')
  const { kind, name, namespace } = message.involvedObject
  const heading = `${message.severity === 'error' ? '🚨' : '💫'} ${kind.toLowerCase()}/${name}/${namespace}`
  const metadata = metadataOf(message).map(([key, value]) => `\\- *${escapeTelegram(key)}*: ${escapeTelegram(value)}\n`)
  const [chat = '', ...thread] = provider.channel.split(':')
  return post(`https://api.telegram.org/bot${token}/sendMessage`, {
    chat_id: chat,
    ...(thread.length > 0 ? { message_thread_id: thread.join(':') } : {}),
    text: `*${escapeTelegram(heading)}*\n${escapeTelegram(message.message)}\n${metadata.join('')}`,
    parse_mode: 'MarkdownV2',
  })
}

function escapeTelegram(text: string): string {
  return text.replace(/[\\.\-_[\]()~>`#+=|{}!*]/g, '\\$&')
}

function larkCard(message: Message): object {
  const isBad = message.severity === 'error'
  const metadata = metadataOf(message).map(([key, value]) => `${key}: ${value}\n`)
  const content = `**${message.message}**\n\n${metadata.join('')}`
  const title = { tag: 'plain_text', content: `${isBad ? '🚨' : '💫'} ${nameOf(message)}` }
  const card = {
    config: { wide_screen_mode: true },
    header: { title, template: isBad ? 'red' : 'turquoise' },
    elements: [{ tag: 'div', text: { tag: 'lark_md', content } }],
  }
  return { msg_type: 'interactive', card }
}

function matrixText(message: Message): string {
  const mark = message.severity === 'error' ? '🚨' : '💫'
  const metadata = metadataOf(message).map(([key, value]) => `- ${key}: ${value}\n`)
  return `${mark} ${nameOf(message)}\n${message.message}\n${metadata.join('')}`
}

function zulip({ message, provider, secret: { username, password } }: Parcel) {
  const [, channel = '', topic = ''] = /^([^/]+)\/(.+)$/s.exec(provider.channel) ?? []
  if (channel === '')
    throw unusable(
      provider,
      `invalid Zulip channel format, expected <channel>/<topic>, got '${provider.channel}'`,
      'spec.channel',
    )
  const url = new URL(provider.address)
  url.pathname = '/api/v1/messages'
  const form = { content: markdownOf(message), to: channel, topic, type: 'stream' }
  const login = basic(username ?? (provider.username || undefined), password)
  const headers = { ...login, 'content-type': 'application/x-www-form-urlencoded' }
  return { method: 'POST' as const, url: url.href, headers, body: new URLSearchParams(form).toString() }
}

function zoomContent(message: Message): object {
  const items = metadataOf(message).map(([key, value]) => ({ key, value }))
  return {
    head: { text: nameOf(message), sub_head: { text: message.severity } },
    body: [{ type: 'message', text: message.message }, ...(items.length > 0 ? [{ type: 'fields', items }] : [])],
  }
}
