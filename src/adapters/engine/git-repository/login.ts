import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { GitRepository } from '../../../kinds/git-repository.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { textMap } from '../../../kinds/flux-object.ts'
import type { GitOptions } from '../../git/git-process.ts'
import type { HttpLogin } from '../../git/remote-refs.ts'
import type { KubeClient } from '../../kube/types.ts'

/** How to reach a repository: for our own requests, and for git. `dispose` removes key files. */
export type Login = {
  readonly http: HttpLogin
  readonly git: Pick<GitOptions, 'config' | 'env'>
  readonly dispose: () => Promise<void>
}

/**
 * Reads `spec.secretRef`: username and password, bearerToken, ca.crt and client certificate over HTTP; identity and known_hosts over SSH.
 *
 * @throws SluiceError SECRET_MISSING (retry: backoff) when the Secret is not there
 */
export async function loadLogin(client: KubeClient, repository: GitRepository, folder: string): Promise<Login> {
  const { secretName, namespace } = repository
  const data = secretName === undefined ? {} : await readSecret(client, namespace, secretName)
  return repository.url.startsWith('ssh://') ? sshLogin(data, folder) : httpLogin(data, folder)
}

/** The decoded values of a Secret. */
export async function readSecret(
  client: KubeClient,
  namespace: string,
  name: string,
): Promise<Readonly<Record<string, Buffer>>> {
  const secret = await client.get({ apiVersion: 'v1', kind: 'Secret', namespace, name })
  if (!secret) throw new SluiceError('SECRET_MISSING', `secrets "${name}" not found`, { retry: 'backoff' })
  return Object.fromEntries(
    Object.entries(textMap(secret, 'data')).map(([key, value]) => [key, Buffer.from(value, 'base64')]),
  )
}

async function httpLogin(data: Readonly<Record<string, Buffer>>, folder: string): Promise<Login> {
  const text = (key: string): string | undefined => data[key]?.toString('utf8')
  const username = text('username')
  const password = text('password')
  const bearer = text('bearerToken')
  const basic =
    username !== undefined && password !== undefined
      ? `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
      : undefined
  const authorization = bearer === undefined ? basic : `Bearer ${bearer}`
  const ca = text('ca.crt') ?? text('caFile')
  const cert = text('tls.crt') ?? text('certFile')
  const key = text('tls.key') ?? text('keyFile')
  const config: [string, string][] = [['http.followRedirects', authorization === undefined ? 'initial' : 'false']]
  if (authorization !== undefined) config.push(['http.extraHeader', `Authorization: ${authorization}`])
  const files: [string, string, string][] = []
  if (ca !== undefined) files.push(['ca.pem', ca, 'http.sslCAInfo'])
  if (cert !== undefined) files.push(['cert.pem', cert, 'http.sslCert'])
  if (key !== undefined) files.push(['key.pem', key, 'http.sslKey'])
  const kept = await keepFiles(folder, files)
  config.push(...kept.paths.map((path, at): [string, string] => [files[at]?.[2] ?? '', path]))
  const http: HttpLogin = {
    ...(authorization === undefined ? {} : { authorization }),
    ...(ca === undefined ? {} : { caPem: ca }),
    ...(cert === undefined ? {} : { certPem: cert }),
    ...(key === undefined ? {} : { keyPem: key }),
  }
  return { http, git: { config }, dispose: kept.dispose }
}

async function sshLogin(data: Readonly<Record<string, Buffer>>, folder: string): Promise<Login> {
  const kept = await keepFiles(folder, [
    ['identity', data['identity']?.toString('utf8') ?? '', ''],
    ['known_hosts', data['known_hosts']?.toString('utf8') ?? '', ''],
  ])
  const [identity = '', knownHosts = ''] = kept.paths
  const options = `-o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -F /dev/null`
  const command = `ssh ${options} -i '${identity}' -o UserKnownHostsFile='${knownHosts}'`
  return { http: {}, git: { env: { GIT_SSH_COMMAND: command } }, dispose: kept.dispose }
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
    await writeFile(path, content.endsWith('\n') ? content : `${content}\n`, { mode: 0o600 })
    paths.push(path)
  }
  return { paths, dispose: () => rm(own, { recursive: true, force: true }) }
}
