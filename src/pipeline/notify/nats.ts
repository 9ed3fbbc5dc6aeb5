import { type NatsLogin, parseNatsCredentials, parseNatsServers } from '../../lib/nats/handshake.ts'
import { type Converse, type Parcel, unusable } from './hook-request.ts'

/** Publishes the event, as it is, to a subject of NATS. */
export const nats: Converse = function* ({ message, provider, secret }) {
  const { address, channel: subject } = provider
  if (address === '') throw unusable(provider, 'NATS server (address) cannot be empty', 'spec.address')
  if (subject === '') throw unusable(provider, 'NATS subject (channel) cannot be empty', 'spec.channel')
  if (/\s/.test(subject)) throw unusable(provider, `"${subject}" is no subject of NATS`, 'spec.channel')
  if (provider.proxy !== '' || provider.proxySecretName !== undefined)
    throw unusable(provider, 'NATS is not spoken through a proxy', 'spec.proxySecretRef')
  const login = loginOf({ ...secret, username: secret.username ?? provider.username })
  yield { protocol: 'nats', servers: parseNatsServers(address), login, subject, payload: JSON.stringify(message) }
}

/** As in Flux: credentials before a key, a key before a password. */
function loginOf({ natsCredentials, nkey, username = '', password = '' }: Parcel['secret']): NatsLogin {
  if (natsCredentials !== undefined) return parseNatsCredentials(natsCredentials)
  if (nkey !== undefined) return { kind: 'nkey', seed: nkey }
  return username !== '' && password !== '' ? { kind: 'user', username, password } : { kind: 'none' }
}
