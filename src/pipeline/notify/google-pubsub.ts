import { signJwt } from '../../lib/jwt/sign.ts'
import { parseAnswer, textOf } from './git-host.ts'
import { bearer, type Converse, type HookRequest, type Parcel, post, unusable } from './hook-request.ts'

const LIFETIME_SECONDS = 3600

/** Publishes the event, as it is, to a topic of Google Pub/Sub, as a service account whose key lies in the secret. */
export const googlePubSub: Converse = function* (parcel) {
  const { message, provider, secret } = parcel
  const { address: project, channel: topic } = provider
  if (project === '') throw unusable(provider, 'GCP project ID cannot be empty', 'spec.address')
  if (topic === '') throw unusable(provider, 'GCP Pub/Sub topic ID cannot be empty', 'spec.channel')
  const { universe, asking } = accountOf(parcel)
  const granted = parseAnswer(yield asking, "Google's access token")
  const attributes = Object.keys(secret.headers ?? {}).length > 0 ? { attributes: secret.headers } : {}
  const data = Buffer.from(JSON.stringify(message)).toString('base64')
  const path = `v1/projects/${encodeURIComponent(project)}/topics/${encodeURIComponent(topic)}:publish`
  yield post(
    `https://pubsub.${universe}/${path}`,
    { messages: [{ data, ...attributes }] },
    bearer(textOf(granted, 'access_token')),
  )
}

/**
 * How a service account asks for a token: by a statement that its key signs. The login that a cloud gives to the machine it runs on is not
 * to be had here.
 *
 * @see https://developers.google.com/identity/protocols/oauth2/service-account
 */
function accountOf({ provider, secret: { token = '' }, nowMs }: Parcel): {
  readonly universe: string
  readonly asking: HookRequest
} {
  const unfit = (what: string) => unusable(provider, `googlepubsub needs ${what}`, 'spec.secretRef')
  if (token === '') throw unfit('a token with the JSON key of a service account: workload identity is not supported')
  const file = parseKeyFile(token)
  const url = textOf(file, 'token_uri') || 'https://oauth2.googleapis.com/token'
  if (textOf(file, 'type') !== 'service_account' || !URL.canParse(url))
    throw unfit('the JSON key of a service account, and the token is another thing')
  const nowSeconds = Math.floor(nowMs / 1000)
  const claims = {
    iss: textOf(file, 'client_email'),
    scope: 'https://www.googleapis.com/auth/pubsub',
    aud: url,
    iat: nowSeconds,
    exp: nowSeconds + LIFETIME_SECONDS,
  }
  const assertion = signJwt(textOf(file, 'private_key'), claims, { kid: textOf(file, 'private_key_id') })
  if (assertion === undefined) throw unfit('a key that can sign, and the one in the token cannot')
  const form = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return {
    universe: textOf(file, 'universe_domain') || 'googleapis.com',
    asking: { method: 'POST', url, headers, body: form.toString() },
  }
}

function parseKeyFile(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
