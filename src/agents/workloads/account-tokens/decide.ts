import type { KubeObject } from '../../../lib/kube/object.ts'
import type { WorkloadDecision } from '../decision.ts'
import type { Write } from '../write.ts'

/** A Secret of the type `kubernetes.io/service-account-token`. */
export type TokenSecret = KubeObject & { readonly data?: Readonly<Record<string, string>> }

/** A ServiceAccount. */
export type Account = KubeObject & { readonly secrets?: readonly { readonly name?: string }[] }

/** What the decision about a secret that holds an account's token needs. */
export type TokenSecretSeen = {
  readonly secret: TokenSecret
  /** The account that it names, by uid too where it says one. */
  readonly account: Account | undefined
  /** The certificates that the API server is checked by; undefined when they are not known. */
  readonly caPem: string | undefined
  /** A token for the account; undefined while the secret has one, or nobody gives one. */
  readonly token: string | undefined
}

/** A secret that has gone, and the account that still lists it. */
export type GoneSecretSeen = { readonly name: string; readonly account: Account }

const NAME = 'kubernetes.io/service-account.name'
const UID = 'kubernetes.io/service-account.uid'

/** The account that a secret is for, and its uid where the secret says it. */
export function accountNamedBy({ metadata: { annotations = {} } }: KubeObject): {
  readonly name: string
  readonly uid: string
} {
  return { name: annotations[NAME] ?? '', uid: annotations[UID] ?? '' }
}

/** Whether the secret waits for a token. */
export function lacksToken({ data }: TokenSecret): boolean {
  return !data?.['token']
}

/** Whether the account says that the secret is one of its own. */
export function listsSecret({ secrets = [] }: Account, name: string): boolean {
  return secrets.some((secret) => secret.name === name)
}

/**
 * Pure. Fills a secret with its account's token, and ends it with its account; an account forgets a secret that has gone.
 *
 * @see k8s.io/kubernetes/pkg/controller/serviceaccount
 */
export function decideTokenSecret(seen: TokenSecretSeen | GoneSecretSeen): WorkloadDecision {
  if ('secret' in seen) return { kind: 'done', status: fill(seen) }
  return listsSecret(seen.account, seen.name) ? { kind: 'act', changes: [forget(seen)] } : { kind: 'done', status: [] }
}

function fill({ secret, account, caPem, token }: TokenSecretSeen): Write[] {
  if (accountNamedBy(secret).name === '') return []
  if (account === undefined) return [{ do: 'delete', object: secret }]
  const { namespace = '', annotations } = secret.metadata
  const { data = {} } = secret
  const ca = caPem === undefined ? undefined : encode(caPem)
  const missing = {
    ...(ca !== undefined && data['ca.crt'] !== ca && { 'ca.crt': ca }),
    ...(!data['namespace'] && { namespace: encode(namespace) }),
    ...(lacksToken(secret) && token !== undefined && { token: encode(token) }),
  }
  if (Object.keys(missing).length === 0) return []
  const { name, uid = '' } = account.metadata
  const metadata = { ...secret.metadata, annotations: { ...annotations, [NAME]: name, [UID]: uid } }
  return [{ do: 'replace', object: { ...secret, metadata, data: { ...data, ...missing } } }]
}

function forget({ name, account }: GoneSecretSeen): Write {
  const { secrets = [] } = account
  return { do: 'replace', object: { ...account, secrets: secrets.filter((secret) => secret.name !== name) } }
}

const encode = (text: string): string => Buffer.from(text).toString('base64')
