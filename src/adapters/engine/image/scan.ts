import { exclusionsOf, type ScanOutcome } from '../../../controllers/image-repository.ts'
import type { ImageRepository } from '../../../kinds/image.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { read } from '../../../lib/kube/read.ts'
import { parseRepository, type Repository } from '../../../lib/oci/reference.ts'
import { summarizeScan } from '../../../pipeline/image/scan.ts'
import { ApiError } from '../../kube/api-error.ts'
import { createRegistryClient, type RegistryClient } from '../../registry/client.ts'
import type { Credentials } from '../../registry/session.ts'
import type { EngineContext } from '../context.ts'
import { readSecret } from '../git-repository/login.ts'

/** Registry clients by what they log in with, so that connections and tokens live on between scans. */
export type Registries = {
  readonly clientFor: (repository: ImageRepository) => Promise<RegistryClient>
  readonly close: () => void
}

/** Opens registry clients for ImageRepositories: aliases of the engine, secretRef, certSecretRef, insecure. */
export function openRegistries({ client, registryAliases }: EngineContext): Registries {
  const clients = new Map<string, RegistryClient>()
  return {
    async clientFor(repository) {
      const host = parseRepository(repository.image)?.host ?? ''
      const login = await loginFor(client, repository, host)
      const ca = await caFor(client, repository)
      const key = JSON.stringify([host, login, ca, repository.isInsecure])
      const found = clients.get(key)
      if (found) return found
      const made = createRegistryClient({
        aliases: registryAliases,
        credentials: () => login,
        plainHttp: repository.isInsecure ? [host] : [],
        ...(ca === undefined ? {} : { ca }),
      })
      clients.set(key, made)
      return made
    },
    close() {
      for (const one of clients.values()) one.close()
    },
  }
}

/** Scans the tags of an ImageRepository. Never throws for what the registry or the Secrets have done wrong. */
export async function scanRepository(registries: Registries, repository: ImageRepository): Promise<ScanOutcome> {
  const target = parseRepository(repository.image)
  if (!target) return readFailed(`could not parse reference: ${repository.image}`)
  let client: RegistryClient
  try {
    client = await registries.clientFor(repository)
  } catch (error) {
    if (!(error instanceof SluiceError) && !(error instanceof ApiError)) throw error
    const message = `failed to configure authentication options: ${error.message}`
    return { kind: 'failed', reason: 'AuthenticationFailed', message }
  }
  try {
    const tags = await client.listTags(target, { signal: AbortSignal.timeout(repository.timeoutMs) })
    if (!tags)
      return readFailed(
        `${tagsRequest(repository, target)}: NAME_UNKNOWN: repository name not known to registry; map[name:${target.repository}]`,
      )
    return { kind: 'scanned', result: summarizeScan(tags, exclusionsOf(repository)) }
  } catch (error) {
    if (error instanceof SluiceError) return readFailed(describe(error, repository, target))
    if (error instanceof Error && /abort|timeout/i.test(error.name))
      return readFailed(`${tagsRequest(repository, target)}: context deadline exceeded`)
    throw error
  }
}

function readFailed(message: string): ScanOutcome {
  return { kind: 'failed', reason: 'ReadOperationFailed', message: `scan failed: ${message}` }
}

/** The fault in the words that Flux's registry library has for it. */
function describe(error: SluiceError, repository: ImageRepository, target: Repository): string {
  if (error.code === 'REGISTRY_DENIED')
    return `${tagsRequest(repository, target)}: UNAUTHORIZED: authentication required; [map[Action:pull Class: Name:${target.repository} Type:repository]]`
  if (error.code !== 'REGISTRY_UNREACHABLE' || !/ECONNREFUSED/.test(`${error.message} ${String(error.cause)}`))
    return error.message
  const refused = (scheme: string): string =>
    `Get "${scheme}://${target.host}/v2/": dial tcp ${target.host}: connect: connection refused`
  return repository.isInsecure ? `${refused('https')}; ${refused('http')}` : refused('https')
}

function tagsRequest({ isInsecure }: ImageRepository, { host, repository }: Repository): string {
  return `GET ${isInsecure ? 'http' : 'https'}://${host}/v2/${repository}/tags/list?n=1000`
}

async function loginFor(
  client: EngineContext['client'],
  { namespace, secretName }: ImageRepository,
  host: string,
): Promise<Credentials | undefined> {
  if (secretName === undefined) return undefined
  const data = await readSecret(client, namespace, secretName)
  const config = data['.dockerconfigjson']
  if (config) return dockerLogin(config.toString('utf8'), host)
  const [username, password] = [data['username'], data['password']]
  return username && password ? { username: username.toString('utf8'), password: password.toString('utf8') } : undefined
}

function dockerLogin(text: string, host: string): Credentials | undefined {
  let config: unknown
  try {
    config = JSON.parse(text)
  } catch {
    throw new SluiceError('OBJECT_INVALID', 'the Secret’s .dockerconfigjson is not JSON')
  }
  const auths = read(config, 'auths')
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

async function caFor(
  client: EngineContext['client'],
  { namespace, certSecretName }: ImageRepository,
): Promise<string | undefined> {
  if (certSecretName === undefined) return undefined
  const data = await readSecret(client, namespace, certSecretName)
  return (data['ca.crt'] ?? data['caFile'])?.toString('utf8')
}
