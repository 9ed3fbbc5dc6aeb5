import { SluiceError } from '../../lib/error/sluice-error.ts'
import { readList, readText } from '../../lib/kube/read.ts'
import type { Repository } from '../../lib/oci/reference.ts'
import type { KubeClient } from '../kube/types.ts'
import { createRegistryClient, type RegistryClient } from '../registry/client.ts'
import { dockerLogin } from '../registry/docker-login.ts'
import type { Credentials } from '../registry/session.ts'
import type { EngineContext } from './context.ts'
import { readNamedSecret, readProxy, readSecret, readTrust, type SecretData } from './secrets.ts'

/** How an object says that its registry is reached. */
export type RegistryAccess = {
  readonly namespace: string
  readonly secretName: string | undefined
  readonly serviceAccountName: string | undefined
  readonly certSecretName: string | undefined
  readonly proxySecretName: string | undefined
  readonly isInsecure: boolean
}

/** Registry clients by what they log in with, so that connections and tokens live on between looks. */
export type Registries = {
  /** @throws SluiceError SECRET_MISSING, OBJECT_INVALID; ApiError */
  readonly clientFor: (access: RegistryAccess, image: Repository) => Promise<RegistryClient>
  readonly close: () => void
}

const MOST_CLIENTS = 200

/** Opens registry clients for objects: aliases of the engine, pull secrets, service accounts, TLS, proxies. */
export function openRegistries({ client, registryAliases, traps }: EngineContext): Registries {
  const clients = new Map<string, RegistryClient>()
  return {
    async clientFor(access, image) {
      const { host } = image
      const { namespace, certSecretName, proxySecretName, isInsecure } = access
      // In Flux's order, for the first fault is the one that is told.
      const proxy = await readProxy(client, namespace, proxySecretName)
      const trust = await readTrust(client, namespace, certSecretName)
      const login = await loginFor(client, access, image, traps)
      const key = JSON.stringify([host, login, trust, proxy?.url.href, isInsecure])
      const found = clients.get(key)
      // Again at the end: the longest unused one stands first.
      clients.delete(key)
      const made =
        found ??
        createRegistryClient({
          aliases: registryAliases,
          credentials: () => login,
          plainHttp: isInsecure ? [host] : [],
          guessesPlain: traps === 'flux',
          trust,
          ...(proxy ? { proxy } : {}),
        })
      clients.set(key, made)
      const [oldest] = clients
      if (oldest && clients.size > MOST_CLIENTS) {
        oldest[1].close()
        clients.delete(oldest[0])
      }
      return made
    },
    close() {
      for (const one of clients.values()) one.close()
    },
  }
}

/** The login for an image: `secretRef` first, then the pull secrets of the service account; the first that speaks of it. */
async function loginFor(
  client: KubeClient,
  { namespace, secretName, serviceAccountName }: RegistryAccess,
  image: Repository,
  traps: 'safe' | 'flux',
): Promise<Credentials | undefined> {
  const secrets: SecretData[] = []
  if (secretName !== undefined) secrets.push(await readSecret(client, namespace, secretName))
  if (serviceAccountName !== undefined)
    for (const name of await pullSecretsOf(client, namespace, serviceAccountName))
      secrets.push(await readPullSecret(client, namespace, serviceAccountName, name))
  return secrets.map((data) => loginIn(data, image, traps)).find((login) => login !== undefined)
}

async function readPullSecret(
  client: KubeClient,
  namespace: string,
  account: string,
  name: string,
): Promise<SecretData> {
  return readNamedSecret(client, namespace, name).catch((error: unknown) => {
    if (!(error instanceof SluiceError) || error.code !== 'SECRET_MISSING') throw error
    const message = `failed to get image pull secret for serviceaccount '${namespace}/${account}': ${error.message}`
    throw new SluiceError('SECRET_MISSING', message, { retry: 'backoff' })
  })
}

async function pullSecretsOf(client: KubeClient, namespace: string, name: string): Promise<readonly string[]> {
  const account = await client.get({ apiVersion: 'v1', kind: 'ServiceAccount', namespace, name })
  if (!account)
    throw new SluiceError('SECRET_MISSING', `serviceaccount '${namespace}/${name}' not found`, {
      retry: 'backoff',
      where: 'spec.serviceAccountName',
    })
  return readList(account, 'imagePullSecrets')
    .map((entry) => readText(entry, 'name'))
    .filter((one) => one !== '')
}

/** Flux knows logins in the form of docker only. */
function loginIn(data: SecretData, image: Repository, traps: 'safe' | 'flux'): Credentials | undefined {
  const config = data['.dockerconfigjson']
  const text = config?.toString('utf8') ?? ''
  // The API server takes no other text in a Secret of the type that Flux reads.
  if (config && (traps === 'safe' || isJson(text))) return dockerLogin(text, image)
  if (traps === 'flux') return undefined
  const [username, password] = [data['username'], data['password']]
  return username && password ? { username: username.toString('utf8'), password: password.toString('utf8') } : undefined
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
