import { SluiceError } from '../../lib/error/sluice-error.ts'
import { readList, readText } from '../../lib/kube/read.ts'
import { findPullLogin, PullSecretError } from '../../lib/oci/pull-secrets.ts'
import type { Repository } from '../../lib/oci/reference.ts'
import type { KubeClient } from '../kube/types.ts'
import { createRegistryClient, type RegistryClient } from '../registry/client.ts'
import type { Credentials } from '../registry/session.ts'
import type { EngineContext } from './context.ts'
import { readProxy, readTrust, readTypedSecret, type TypedSecret, withMissing } from './secrets.ts'

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

/**
 * The login for an image among `secretRef` and the pull secrets of the service account; a plain one of the object's own comes before those
 * of its account.
 *
 * @throws SluiceError SECRET_MISSING, OBJECT_INVALID; ApiError
 */
async function loginFor(
  client: KubeClient,
  { namespace, secretName, serviceAccountName }: RegistryAccess,
  image: Repository,
  traps: 'safe' | 'flux',
): Promise<Credentials | undefined> {
  const own = secretName === undefined ? undefined : await readTypedSecret(client, namespace, secretName)
  const secrets = own === undefined ? [] : [own]
  if (serviceAccountName !== undefined)
    for (const name of await pullSecretsOf(client, namespace, serviceAccountName))
      secrets.push(await readPullSecret(client, namespace, serviceAccountName, name))
  try {
    if (traps === 'flux') return findPullLogin(secrets, image)
    return (
      plainLogin(own) ??
      findPullLogin(secrets.map(asPullSecret), image) ??
      secrets.map(plainLogin).find((login) => login !== undefined)
    )
  } catch (error) {
    if (!(error instanceof PullSecretError)) throw error
    throw new SluiceError('OBJECT_INVALID', error.message, { cause: error })
  }
}

async function readPullSecret(
  client: KubeClient,
  namespace: string,
  account: string,
  name: string,
): Promise<TypedSecret> {
  return readTypedSecret(client, namespace, name).catch((error: unknown) => {
    const place = `for serviceaccount '${namespace}/${account}'`
    throw withMissing(error, () => `failed to get image pull secret ${place}: secret '${namespace}/${name}' not found`)
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

/** A login of docker counts in a Secret of any type, which Flux passes over in silence. */
function asPullSecret(secret: TypedSecret): TypedSecret {
  const isPlain = secret.data['.dockerconfigjson'] !== undefined && !secret.type.startsWith('kubernetes.io/')
  return isPlain ? { ...secret, type: 'kubernetes.io/dockerconfigjson' } : secret
}

/** Flux knows logins in the form of docker only. */
function plainLogin(secret: TypedSecret | undefined): Credentials | undefined {
  const { username, password } = secret?.data ?? {}
  if (!username || !password) return undefined
  return { username: username.toString('utf8'), password: password.toString('utf8') }
}
