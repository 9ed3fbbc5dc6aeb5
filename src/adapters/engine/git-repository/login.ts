import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { rootCertificates } from 'node:tls'
import { join } from 'node:path'
import type { GitRepository } from '../../../kinds/git-repository.ts'
import { tlsFilesOf } from '../../../kinds/tls-secret.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { GitOptions } from '../../git/git-process.ts'
import { remoteError, type HttpLogin } from '../../git/remote-refs.ts'
import type { KubeClient } from '../../kube/types.ts'
import { type HttpProxy, proxyAddress } from '../../net/http-proxy.ts'
import { readProxy, readSecret, type SecretData } from '../secrets.ts'
import { identityFault, knownHostsFault } from '../../../lib/ssh/files.ts'

/** How to reach a repository: for our own requests, and for git. `dispose` removes key files. */
export type Login = {
  readonly http: HttpLogin
  readonly git: Pick<GitOptions, 'config' | 'env'>
  readonly dispose: () => Promise<void>
}

/** What of an object says how its repository is reached. */
export type LoginWish = Pick<GitRepository, 'namespace' | 'url' | 'secretName' | 'proxySecretName'>

/** Nothing to log in with. */
export const ANONYMOUS: Login = {
  http: {},
  git: { config: [['http.followRedirects', 'initial']] },
  dispose: async () => undefined,
}

/**
 * Reads `spec.secretRef` (username and password, bearerToken, ca.crt and client certificate over HTTP; identity, known_hosts and password
 * over SSH) and `spec.proxySecretRef`.
 *
 * @param check sees the Secret's values first, and may refuse them
 * @throws SluiceError SECRET_MISSING (retry: backoff) when a Secret is not there, GIT_AUTH with Flux's words when it lacks what it must have
 */
export async function loadLogin(
  client: KubeClient,
  wish: LoginWish,
  folder: string,
  check: (data: SecretData) => void = () => undefined,
): Promise<Login> {
  const { secretName, namespace, proxySecretName } = wish
  const proxy = await readProxy(client, namespace, proxySecretName)
  const data = secretName === undefined ? {} : await readSecret(client, namespace, secretName)
  check(data)
  return wish.url.startsWith('ssh://') ? sshLogin(data, folder) : httpLogin(wish, data, proxy, folder)
}

async function httpLogin(
  { url }: LoginWish,
  data: SecretData,
  proxy: HttpProxy | undefined,
  folder: string,
): Promise<Login> {
  const authorization = authorizationOf(url, data)
  const trust = tlsFilesOf(data)
  const config: [string, string][] = [['http.followRedirects', authorization === undefined ? 'initial' : 'false']]
  if (authorization !== undefined) config.push(['http.extraHeader', `Authorization: ${authorization}`])
  if (proxy) config.push(['http.proxy', proxyAddress(proxy)], ['http.proxyAuthMethod', 'basic'])
  const { caPem, certPem, keyPem } = trust
  const files: [string, string, string][] = []
  if (caPem !== undefined) files.push(['ca.pem', [...rootCertificates, caPem].join('\n'), 'http.sslCAInfo'])
  if (certPem !== undefined) files.push(['cert.pem', certPem, 'http.sslCert'])
  if (keyPem !== undefined) files.push(['key.pem', keyPem, 'http.sslKey'])
  const kept = await keepFiles(folder, files)
  config.push(...kept.paths.map((path, at): [string, string] => [files[at]?.[2] ?? '', path]))
  const http: HttpLogin = {
    ...(authorization === undefined ? {} : { authorization }),
    trust,
    ...(proxy ? { proxy } : {}),
  }
  return { http, git: { config }, dispose: kept.dispose }
}

function authorizationOf(url: string, data: SecretData): string | undefined {
  const text = (key: string): string | undefined => data[key]?.toString('utf8')
  const scheme = url.slice(0, url.indexOf(':'))
  const bearer = text('bearerToken')
  const own = URL.canParse(url) ? new URL(url) : undefined
  const of = (key: 'username' | 'password'): string =>
    (bearer === undefined && text(key)) || decodeURIComponent(own?.[key] ?? '')
  const [username, password] = [of('username'), of('password')]
  if (bearer && username + password !== '')
    throw remoteError('basic auth and bearer token cannot be set at the same time')
  if (bearer) return `Bearer ${oneLine(bearer)}`
  if (username === '' && password !== '')
    throw invalid(`invalid '${scheme}' auth option: 'password' requires 'username' to be set`)
  return username === '' ? undefined : `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

/** A header's value cannot begin another header. */
function oneLine(text: string): string {
  return text.replace(/[\r\n\0]/g, '').trim()
}

/** Prints the passphrase from its environment: text of ours, no input in it. */
const ASKPASS = '#!/bin/sh\nprintf \'%s\\n\' "$SLUICE_SSH_PASSPHRASE"\n'

async function sshLogin(data: SecretData, folder: string): Promise<Login> {
  const [identity, knownHosts, passphrase] = ['identity', 'known_hosts', 'password'].map((key) =>
    data[key]?.toString('utf8'),
  )
  if (!identity) throw invalid("invalid 'ssh' auth option: 'identity' is required")
  if (!knownHosts) throw invalid("invalid 'ssh' auth option: 'known_hosts' is required")
  const fault = identityFault(identity) ?? knownHostsFault(knownHosts)
  if (fault !== undefined) throw remoteError(`unable to construct auth method with options: ${fault}`)
  const kept = await keepFiles(folder, [
    ['identity', identity, ''],
    ['known_hosts', knownHosts, ''],
    ...(passphrase === undefined ? [] : [['askpass', ASKPASS, ''] as const]),
  ])
  const [identityPath = '', knownHostsPath = '', askpass] = kept.paths
  const options = [
    `IdentityFile='${identityPath}'`,
    `UserKnownHostsFile='${knownHostsPath}'`,
    'GlobalKnownHostsFile=/dev/null',
    'StrictHostKeyChecking=yes',
    'IdentitiesOnly=yes',
    'PreferredAuthentications=publickey',
    'ConnectTimeout=20',
    ...(askpass === undefined ? ['BatchMode=yes'] : ['NumberOfPasswordPrompts=1']),
  ]
  const command = `ssh -F /dev/null ${options.map((option) => `-o ${option}`).join(' ')}`
  const asking: Record<string, string> =
    askpass === undefined
      ? {}
      : { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force', SLUICE_SSH_PASSPHRASE: passphrase ?? '' }
  return { http: {}, git: { env: { GIT_SSH_COMMAND: command, ...asking } }, dispose: kept.dispose }
}

function invalid(why: string): SluiceError {
  return new SluiceError('GIT_AUTH', why, { retry: 'backoff', where: 'spec.secretRef' })
}

/** Writes secrets that git needs as files, readable by us alone, in a folder of their own. */
async function keepFiles(
  folder: string,
  files: readonly (readonly [string, string, string])[],
): Promise<{ readonly paths: readonly string[]; readonly dispose: () => Promise<void> }> {
  if (files.length === 0) return { paths: [], dispose: async () => undefined }
  const own = await mkdtemp(join(folder, 'login-'))
  const paths: string[] = []
  for (const [name, content] of files) {
    const path = join(own, name)
    const mode = name === 'askpass' ? 0o700 : 0o600
    await writeFile(path, content.endsWith('\n') ? content : `${content}\n`, { mode })
    paths.push(path)
  }
  return { paths, dispose: () => rm(own, { recursive: true, force: true }) }
}
