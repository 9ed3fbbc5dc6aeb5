import { SluiceError } from '../../lib/error/sluice-error.ts'
import { read } from '../../lib/kube/read.ts'
import type { Credentials } from './session.ts'

/**
 * The login for a host, as image names write it, in a configuration of docker (`.dockerconfigjson`); undefined when it does not speak of the host.
 *
 * @throws SluiceError OBJECT_INVALID when the text is not JSON
 */
export function dockerLogin(text: string, host: string): Credentials | undefined {
  return loginAmong(read(parse(text, '.dockerconfigjson'), 'auths'), host)
}

/** The same in the older form (`.dockercfg`), which holds the hosts alone. @throws SluiceError OBJECT_INVALID */
export function oldDockerLogin(text: string, host: string): Credentials | undefined {
  return loginAmong(parse(text, '.dockercfg'), host)
}

function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new SluiceError('OBJECT_INVALID', `the Secret’s ${name} is not JSON`)
  }
}

function loginAmong(auths: unknown, host: string): Credentials | undefined {
  if (typeof auths !== 'object' || auths === null) return undefined
  const plain = (name: string): string => name.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '')
  const names = host === 'docker.io' ? ['docker.io', 'index.docker.io', 'registry-1.docker.io'] : [host]
  const found: unknown = Object.entries(auths).find(([name]) => names.includes(plain(name)))?.[1]
  const auth = read(found, 'auth')
  const [username, ...rest] = typeof auth === 'string' ? Buffer.from(auth, 'base64').toString('utf8').split(':') : []
  const user = read(found, 'username') ?? username
  const password = read(found, 'password') ?? (auth === undefined ? undefined : rest.join(':'))
  return typeof user === 'string' && typeof password === 'string' ? { username: user, password } : undefined
}
