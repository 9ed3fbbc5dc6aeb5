import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { makeScratch } from '../../machine/scratch.ts'
import type { GitOptions } from './git-process.ts'
import type { GitUrl } from './url.ts'

/** What opens a Git host; every part is a secret except the user name and what is known of hosts. */
export type GitCredentials = {
  readonly username?: string
  readonly password?: string
  readonly bearerToken?: string
  readonly sshKeyPem?: string
  readonly knownHosts?: string
  readonly caPem?: string
  readonly certPem?: string
  readonly keyPem?: string
}

/** Prints user and password from its environment: text of ours, no input in it. */
const HELPER =
  '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$SLUICE_GIT_USERNAME" "$SLUICE_GIT_PASSWORD"; }; f'

/**
 * Runs `task` with git options that carry the credentials: by environment and files of mode 0600, removed afterwards, never by arguments.
 *
 * User and password answer only the host of `url`, so that a redirect elsewhere gets none; with a bearer token no redirect is followed.
 * @throws SluiceError GIT_AUTH when an SSH address comes without key or known hosts
 */
export async function withCredentials<T>(
  url: GitUrl,
  credentials: GitCredentials,
  task: (options: GitOptions) => Promise<T>,
): Promise<T> {
  const folder = makeScratch('git')
  const file = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text.endsWith('\n') ? text : `${text}\n`, { mode: 0o600 })
    return path
  }
  try {
    chmodSync(folder, 0o700)
    return await task(url.transport === 'ssh' ? sshOptions(credentials, file) : httpOptions(url, credentials, file))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function httpOptions(
  url: GitUrl,
  credentials: GitCredentials,
  file: (name: string, text: string) => string,
): GitOptions {
  const config: [string, string][] = [['credential.helper', '']]
  const env: Record<string, string> = {}
  const password = credentials.password ?? url.password
  if (credentials.caPem !== undefined) config.push(['http.sslCAInfo', file('ca.pem', credentials.caPem)])
  if (credentials.certPem !== undefined) config.push(['http.sslCert', file('cert.pem', credentials.certPem)])
  if (credentials.keyPem !== undefined) config.push(['http.sslKey', file('key.pem', credentials.keyPem)])
  if (credentials.bearerToken !== undefined) {
    config.push(['http.followRedirects', 'false'])
    config.push(['http.extraHeader', `Authorization: Bearer ${credentials.bearerToken.replace(/[\r\n]/g, '')}`])
  } else if (password !== undefined && url.transport === 'http') {
    const { origin } = new URL(url.url)
    config.push([`credential.${origin}.helper`, HELPER])
    env['SLUICE_GIT_USERNAME'] = (credentials.username ?? url.username ?? 'git').replace(/[\r\n\0]/g, '')
    env['SLUICE_GIT_PASSWORD'] = password.replace(/[\r\n\0]/g, '')
  }
  return { config, env }
}

function sshOptions(credentials: GitCredentials, file: (name: string, text: string) => string): GitOptions {
  if (credentials.sshKeyPem === undefined || credentials.knownHosts === undefined)
    throw new SluiceError('GIT_AUTH', 'an SSH address needs "identity" and "known_hosts" in its secret')
  const options = [
    `IdentityFile='${file('identity', credentials.sshKeyPem)}'`,
    `UserKnownHostsFile='${file('known_hosts', credentials.knownHosts)}'`,
    'GlobalKnownHostsFile=/dev/null',
    'StrictHostKeyChecking=yes',
    'IdentitiesOnly=yes',
    'BatchMode=yes',
    'ConnectTimeout=20',
  ]
  return { env: { GIT_SSH_COMMAND: `ssh -F /dev/null ${options.map((option) => `-o ${option}`).join(' ')}` } }
}
