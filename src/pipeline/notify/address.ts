import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { Provider } from '../../kinds/notification.ts'
import { unusable } from './hook-request.ts'

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

/**
 * What is wrong with the address of a receiver that is spoken to over HTTP, in Flux's words; `undefined` when nothing is.
 *
 * The message quotes the address as Flux does; one that holds a token parses, and is never quoted.
 */
export function addressFault({ type, ...provider }: Provider, address: string): SluiceError | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\/[^/]/i.exec(address)?.[1]?.toLowerCase() ?? 'http'
  if (!['http', 'https'].includes(scheme)) return unspeakable({ type, ...provider }, address, scheme)
  const why = urlFault(address)
  if (why === undefined) return undefined
  const named = NAMES[type]
  const bare = BARE[type]
  const message =
    type === 'sentry' && address === ''
      ? 'DSN cannot be empty'
      : type === 'pagerduty'
        ? `invalid PagerDuty endpoint URL ${JSON.stringify(address)}: '${why}'`
        : named !== undefined
          ? `invalid ${named} ${address}: '${why}'`
          : bare !== undefined
            ? `invalid ${bare} ${address}`
            : `invalid hook URL ${address}: ${why}`
  return unusable({ type, ...provider }, message, 'spec.address')
}

/** What an HTTP client cannot speak: found out when it is sent, and by Sentry's client before. */
function unspeakable(provider: Provider, address: string, scheme: string): SluiceError {
  if (provider.type === 'sentry') return unusable(provider, '[Sentry] DsnParseError: invalid scheme', 'spec.address')
  const why = `POST ${address} giving up after 1 attempt(s): Post ${JSON.stringify(address)}: unsupported protocol scheme "${scheme}"`
  return new SluiceError('NOTIFY_FAILED', `failed to execute request: ${why}`)
}

/** In the words of Go's `url.ParseRequestURI`; also for what that takes and no HTTP client does. */
function urlFault(address: string): string | undefined {
  if (address === '') return 'parse "": empty url'
  if (!/^[a-z][a-z0-9+.-]*:/i.test(address)) return `parse ${JSON.stringify(address)}: invalid URI for request`
  const [, host = ''] = /^\w+:\/\/(?:[^/?#]*@)?([^/?#]*)/.exec(address) ?? []
  const odd = /[^A-Za-z0-9\-._~!$&'()*+,;=:[\]<>"%]/.exec(host)?.[0]
  if (odd !== undefined)
    return `parse ${JSON.stringify(address)}: invalid character ${JSON.stringify(odd)} in host name`
  return /^https?:\/\//i.test(address) && URL.canParse(address)
    ? undefined
    : `parse ${JSON.stringify(address)}: it is not an http(s) URL`
}
