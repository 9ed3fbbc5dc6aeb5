import { ApiError } from '../../../adapters/kube/api-error.ts'
import type { HttpKubeClient } from '../../../adapters/kube/client.ts'
import type { Controller, Wake } from '../../../engine/controller.ts'
import { readText } from '../../../lib/kube/read.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { workloadController } from '../controller.ts'
import { keyOf } from '../meta.ts'
import { as } from '../shapes.ts'
import type { Write } from '../write.ts'
import {
  type Account,
  accountNamedBy,
  decideTokenSecret,
  type GoneSecretSeen,
  lacksToken,
  listsSecret,
  type TokenSecret,
  type TokenSecretSeen,
} from './decide.ts'

const TYPE = 'kubernetes.io/service-account-token'
/** The longest that the API server gives; such a token is to live as long as its secret. */
const LONGEST_SECONDS = 2 ** 32

/** Fills the secrets that ask for an account's token. It follows only those; the accounts, which few clusters have in such secrets, it asks for one by one. */
export function accountTokens(bench: Bench): Controller<TokenSecretSeen | GoneSecretSeen, Write, readonly Write[]> {
  const secrets = bench.cacheOf({ apiVersion: 'v1', kind: 'Secret', fieldSelector: `type=${TYPE}` })
  // the garbage collector's own copy: it costs nothing more
  const accounts = bench.cacheOf({ apiVersion: 'v1', kind: 'ServiceAccount', metadataOnly: true })
  const gone = new Map<string, KubeObject>()
  return workloadController<TokenSecretSeen | GoneSecretSeen>(bench, {
    kind: 'account-tokens',
    component: 'serviceaccount-token-controller',
    async watch(wake) {
      await Promise.all([secrets.ready, accounts.ready])
      secrets.onChange((secret, type) => {
        if (type === 'DELETED') gone.set(keyOf(secret), secret)
        else gone.delete(keyOf(secret))
        wake.now(keyOf(secret))
      })
      accounts.onChange((account, type) => type === 'DELETED' && wakeSecretsOf(account, wake))
      for (const secret of secrets.list()) wake.now(keyOf(secret))
    },
    async observe(key) {
      const [namespace = '', name = ''] = key.split('/')
      const found = secrets.get(namespace, name) ?? gone.get(key)
      if (!found) return undefined
      const secret = as<TokenSecret>(found)
      const account = await accountOf(bench.client, secret)
      if (secrets.get(namespace, name) === undefined) {
        // remembered until the account has forgotten it
        if (account && listsSecret(account, name)) return { name, account }
        gone.delete(key)
        return undefined
      }
      const isWanted = account !== undefined && lacksToken(secret)
      const token = isWanted ? await tokenFor(bench.client, account, secret) : undefined
      return { secret, account, caPem: bench.client.caPem, token }
    },
    decide: decideTokenSecret,
  })

  function wakeSecretsOf({ metadata: { namespace, name } }: KubeObject, wake: Wake): void {
    for (const secret of secrets.list(namespace)) if (accountNamedBy(secret).name === name) wake.now(keyOf(secret))
  }
}

async function accountOf(client: HttpKubeClient, secret: TokenSecret): Promise<Account | undefined> {
  const { name, uid } = accountNamedBy(secret)
  const { namespace = '' } = secret.metadata
  const found =
    name === '' ? undefined : await client.get({ apiVersion: 'v1', kind: 'ServiceAccount', namespace, name })
  return found && (uid === '' || uid === found.metadata.uid) ? as<Account>(found) : undefined
}

/** A token that ends with the secret. */
async function tokenFor(client: HttpKubeClient, account: Account, secret: TokenSecret): Promise<string> {
  const { namespace = '', name } = account.metadata
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}/token`
  const { name: secretName, uid } = secret.metadata
  const boundObjectRef = { apiVersion: 'v1', kind: 'Secret', name: secretName, uid }
  const spec = { expirationSeconds: LONGEST_SECONDS, boundObjectRef }
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec }
  const { status, text } = await client.raw('POST', path, body)
  const token = status < 300 ? readText(JSON.parse(text), 'status', 'token') : undefined
  if (!token) throw new ApiError(status, '', text)
  return token
}
