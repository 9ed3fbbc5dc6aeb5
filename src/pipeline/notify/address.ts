import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { Provider } from '../../kinds/notification.ts'
import { unusable } from './hook-request.ts'
import { own } from '../../lib/value/own.ts'

/** What Flux calls the address of a receiver; those that are not here it calls by the name of the forwarder. */
const NAMES: Readonly<Record<string, string>> = {
  slack: 'Slack hook URL',
  discord: 'Discord hook URL',
  rocket: 'Rocket hook URL',
  msteams: 'MS Teams webhook URL',
  webex: 'Webex hook URL',
  matrix: 'Matrix homeserver URL',
  opsgenie: 'Opsgenie hook URL',
  alertmanager: 'Alertmanager URL',
  'incident.io': 'incident.io alert source URL',
  zoom: 'Zoom incoming webhook URL',
}
/** Those of which Flux does not say what is wrong. */
const BARE: Readonly<Record<string, string>> = {
  googlechat: 'Google Chat hook URL',
  grafana: 'Grafana URL',
  lark: 'Slack hook URL',
}
/** What stands for the rest of an address. */
const HIDDEN = '…'

/**
 * What is wrong with the address of a receiver that is spoken to over HTTP, in Flux's words; `undefined` when nothing is.
 *
 * Flux quotes the address, whose path may be a token, in events and logs; `traps: 'safe'` quotes its scheme and host alone.
 */
export function addressFault(
  { type, ...provider }: Provider,
  address: string,
  traps: 'safe' | 'flux',
): SluiceError | undefined {
  const shown = traps === 'flux' ? address : withoutSecrets(address)
  const scheme = /^([a-z][a-z0-9+.-]*):\/\/[^/]/i.exec(address)?.[1]?.toLowerCase() ?? 'http'
  if (!['http', 'https'].includes(scheme)) return unspeakable({ type, ...provider }, shown, scheme)
  const why = urlFault(address, shown)
  if (why === undefined) return undefined
  return unusable({ type, ...provider }, inWordsOf(type, shown, why), 'spec.address')
}

function inWordsOf(type: string, shown: string, why: string): string {
  if (type === 'sentry' && shown === '') return 'DSN cannot be empty'
  if (type === 'pagerduty') return `invalid PagerDuty endpoint URL ${JSON.stringify(shown)}: '${why}'`
  const named = own(NAMES, type)
  if (named !== undefined) return `invalid ${named} ${shown}: '${why}'`
  const bare = own(BARE, type)
  return bare === undefined ? `invalid hook URL ${shown}: ${why}` : `invalid ${bare} ${shown}`
}

/** Scheme and host; the scheme alone where a login stands before the host, and nothing of what is no URL. */
function withoutSecrets(address: string): string {
  if (address === '') return ''
  const [, scheme, host] = /^([a-z][a-z0-9+.-]*:\/\/)(?:([a-z0-9.-]+(?::\d+)?)(?=[/?#]|$))?/i.exec(address) ?? []
  if (scheme === undefined) return HIDDEN
  const shown = host === undefined || address.includes('@') ? scheme : `${scheme}${host}/`
  return shown + HIDDEN
}

/** What an HTTP client cannot speak: found out when it is sent, and by Sentry's client before. */
function unspeakable(provider: Provider, shown: string, scheme: string): SluiceError {
  if (provider.type === 'sentry') return unusable(provider, '[Sentry] DsnParseError: invalid scheme', 'spec.address')
  const why = `POST ${shown} giving up after 1 attempt(s): Post ${JSON.stringify(shown)}: unsupported protocol scheme "${scheme}"`
  return new SluiceError('NOTIFY_FAILED', `failed to execute request: ${why}`)
}

/** In the words of Go's `url.ParseRequestURI`; also for what that takes and no HTTP client does. */
function urlFault(address: string, shown: string): string | undefined {
  if (address === '') return 'parse "": empty url'
  if (!/^[a-z][a-z0-9+.-]*:/i.test(address)) return `parse ${JSON.stringify(shown)}: invalid URI for request`
  const [, host = ''] = /^\w+:\/\/(?:[^/?#]*@)?([^/?#]*)/.exec(address) ?? []
  const odd = /[^A-Za-z0-9\-._~!$&'()*+,;=:[\]<>"%]/.exec(host)?.[0]
  if (odd !== undefined) return `parse ${JSON.stringify(shown)}: invalid character ${JSON.stringify(odd)} in host name`
  return /^https?:\/\//i.test(address) && URL.canParse(address)
    ? undefined
    : `parse ${JSON.stringify(shown)}: it is not an http(s) URL`
}
