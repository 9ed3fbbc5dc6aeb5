import { createHmac } from 'node:crypto'
import type { SluiceError } from '../../lib/error/sluice-error.ts'
import { type Converse, type Parcel, post, unusable } from './hook-request.ts'

const LIFETIME_SECONDS = 3600
const IDENTITY =
  'failed to create a eventhub using managed identity: failed to get token: failed to create provider access token for the controller: '

/**
 * Sends the event, as it is, to an Azure Event Hub: over HTTPS, where Flux speaks AMQP. The proof is the key of a connection string, or a
 * token.
 *
 * @see https://learn.microsoft.com/rest/api/eventhub/send-event
 */
export const azureEventHub: Converse = function* (parcel) {
  const { url, authorization } = targetOf(parcel)
  const type = 'application/atom+xml;type=entry;charset=utf-8'
  yield post(url, parcel.message, { authorization, 'content-type': type })
}

type Target = { readonly url: string; readonly authorization: string }

function targetOf(parcel: Parcel): Target {
  const { address, channel, serviceAccountName } = parcel.provider
  const { token = '' } = parcel.secret
  if (address === '') throw unfit(parcel, 'invalid authentication options: endpoint URL cannot be empty')
  if (address.includes('SharedAccessKey')) return sharedAccess(parcel)
  if (token === '')
    throw unfit(parcel, `${IDENTITY}ManagedIdentityCredential is not supported, give a connection string or a token`)
  if (serviceAccountName !== '') throw twoLogins(parcel, 'serviceAccountName and jwt token')
  const host = channel.includes('.servicebus.') ? channel : `${channel}.servicebus.windows.net`
  return { url: `${hubAt(parcel, host, address)}/messages`, authorization: `Bearer ${token}` }
}

/** A connection string: `Endpoint=sb://host/;SharedAccessKeyName=…;SharedAccessKey=…;EntityPath=hub`. */
function sharedAccess(parcel: Parcel): Target {
  const { provider, secret, nowMs } = parcel
  if ((secret.token ?? '') !== '') throw twoLogins(parcel, 'jwt token and SAS')
  if (provider.serviceAccountName !== '') throw twoLogins(parcel, 'serviceAccountName and SAS')
  const parts = new Map(
    provider.address.split(';').map((part) => {
      const at = part.indexOf('=')
      return [part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()]
    }),
  )
  const [endpoint = '', name = '', key = '', hub = ''] = [
    'endpoint',
    'sharedaccesskeyname',
    'sharedaccesskey',
    'entitypath',
  ].map((field) => parts.get(field))
  const sas = 'failed to create a eventhub using SAS: connection string'
  if (!/^(sb|amqps?|https):\/\/[^/]+\/?$/.test(endpoint) || name === '' || key === '')
    throw unfit(parcel, `${sas} needs an Endpoint, a SharedAccessKeyName and a SharedAccessKey`)
  if (hub === '') throw unfit(parcel, `${sas} does not contain an EntityPath. eventHub cannot be an empty string`)
  const resource = hubAt(parcel, endpoint.replace(/^\w+:\/\/|\/$/g, ''), hub)
  const until = Math.floor(nowMs / 1000) + LIFETIME_SECONDS
  const about = encodeURIComponent(resource)
  const signature = createHmac('sha256', key).update(`${about}\n${until}`).digest('base64')
  const proof = `sr=${about}&sig=${encodeURIComponent(signature)}&se=${until}&skn=${encodeURIComponent(name)}`
  return { url: `${resource}/messages`, authorization: `SharedAccessSignature ${proof}` }
}

function hubAt(parcel: Parcel, host: string, hub: string): string {
  const url = `https://${host}/${encodeURIComponent(hub)}`
  if (!URL.canParse(url)) throw unfit(parcel, `"${host}" is no host of an Event Hub`)
  return url
}

function twoLogins(parcel: Parcel, both: string): SluiceError {
  return unfit(parcel, `invalid authentication options: ${both} authentication cannot be set at the same time`)
}

function unfit({ provider }: Parcel, message: string): SluiceError {
  return unusable(provider, message, 'spec.address')
}
