import { ApiError } from '../../../adapters/kube/api-error.ts'
import { describeError, SluiceError } from '../../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { type ClaimedVolume, lookUpClaims } from './content/claims.ts'
import type { Credential } from './content/certificates.ts'
import type { NodeContext } from './context.ts'
import { type CertificateWish, containersOf, type Container, type Pod } from './shapes.ts'
import type { TokenWish } from './content/tokens.ts'
import type { FileData } from './content/volumes.ts'

/**
 * ConfigMaps, Secrets, tokens, trust bundles and claimed volumes of one pod, as they are now. What could not be read throws where it is asked for: it is
 * the fault of the volume or the variable that names it, and of no other.
 */
export type Lookups = Files & {
  readonly token: (wish: Asked) => string | undefined
  /** The credential that a projection shows (`tls/0`: volume and number), or why there is none yet. */
  readonly credential: (place: string) => Credential | { readonly missing: string }
  /** All of the cluster, or why they cannot be read. */
  readonly trustBundles: readonly KubeObject[] | { readonly missing: string }
  readonly claimed: ReadonlyMap<string, ClaimedVolume>
}

/** ConfigMaps and Secrets of a pod. */
type Files = {
  readonly configMap: (name: string) => FileData | undefined
  /** Without what is no text: variables are made of it. */
  readonly configMapText: (name: string) => Readonly<Record<string, string>> | undefined
  readonly secret: (name: string) => FileData | undefined
}

/** A token as a volume asks for it. */
export type Asked = { readonly audience?: string; readonly expirationSeconds?: number }

/** ConfigMaps and Secrets as they were read the last time, by kind and name. */
export type KnownObjects = Map<string, KubeObject>

/**
 * Reads everything that a pod names from the API server, once each.
 *
 * @param known what stands in for ConfigMaps and Secrets that a server which is away does not say; brought up to date
 */
export async function lookUp(
  { client, tokens, certificates }: Pick<NodeContext, 'client' | 'tokens' | 'certificates'>,
  pod: Pod,
  known: KnownObjects = new Map(),
): Promise<Lookups> {
  const wanted = namesIn(pod)
  const wishes = new Map(wanted.tokens.map((asked) => [JSON.stringify(wishOf(asked)), wishOf(asked)]))
  // all at once: a server that does not answer is waited for once, as is a signer that takes its time. Who cannot even ask has no certificate, which is
  // a fault of that volume
  const [files, given, credentials, claimed, trustBundles] = await Promise.all([
    readObjects(client, pod, wanted, known),
    all([...wishes], (wish) => tokens.tokenFor(pod, wish)),
    Promise.all(
      wanted.certificates.map(
        async ([place, wish]) => [place, await certificates.credentialFor(pod, place, wish).catch(missing)] as const,
      ),
    ).then((found) => new Map(found)),
    lookUpClaims(client, pod),
    wanted.hasTrustBundles ? client.list(TRUST_BUNDLES).then(({ items }) => items, missing) : [],
  ])
  return {
    ...files,
    claimed,
    trustBundles,
    token: (asked) => given.get(JSON.stringify(wishOf(asked))),
    credential: (place) => credentials.get(place) ?? { missing: 'no certificate is asked for' },
  }
}

/** Reads what the variables of a container name, and nothing else that its pod names. */
export async function lookUpVariables(
  { client }: Pick<NodeContext, 'client'>,
  pod: Pod,
  container: Container,
  known: KnownObjects,
): Promise<Files> {
  return readObjects(client, pod, variablesIn([container]), known)
}

async function readObjects(
  client: NodeContext['client'],
  { metadata: { namespace = 'default' } }: Pod,
  wanted: Names,
  known: KnownObjects,
): Promise<Files> {
  const read = (kind: 'ConfigMap' | 'Secret', names: ReadonlySet<string>): Promise<Map<string, Read>> =>
    all(
      [...names].map((name) => [name, name]),
      async (name) => {
        const key = `${kind} ${name}`
        const object = await client
          .get({ apiVersion: 'v1', kind, namespace, name })
          .catch((error: unknown) => (isAway(error) && known.get(key)) || unread(kind, name)(error))
        if (object === undefined || object instanceof SluiceError) known.delete(key)
        else known.set(key, object)
        return object
      },
    )
  const [configMaps, secrets] = await Promise.all([
    read('ConfigMap', wanted.configMaps),
    read('Secret', wanted.secrets),
  ])
  return {
    configMap: (name) => {
      const object = found(configMaps, name)
      return object && { ...decode(object['data'], 'utf8'), ...decode(object['binaryData'], 'base64') }
    },
    configMapText: (name) => {
      const object = found(configMaps, name)
      return object && textOf(decode(object['data'], 'utf8'))
    },
    secret: (name) => {
      const object = found(secrets, name)
      return object && decode(object['data'], 'base64')
    },
  }
}

/** What is answered for each, asked at once; by name. */
async function all<In, Out>(
  asked: readonly (readonly [name: string, value: In])[],
  ask: (value: In) => Promise<Out>,
): Promise<Map<string, Out>> {
  return new Map(await Promise.all(asked.map(async ([name, value]) => [name, await ask(value)] as const)))
}

/** Whether the server did not speak, or spoke of itself only. */
function isAway(error: unknown): boolean {
  return !(error instanceof ApiError) || error.status >= 500 || error.status === 429
}

/** An object, none, or why that is not known. */
type Read = KubeObject | undefined | SluiceError

const unread =
  (kind: 'ConfigMap' | 'Secret', name: string) =>
  (error: unknown): SluiceError =>
    new SluiceError('POD_CONFIG', `couldn't get ${kind.toLowerCase()} "${name}": ${describeError(error)}`, {
      retry: 'backoff',
    })

function found(objects: ReadonlyMap<string, Read>, name: string): KubeObject | undefined {
  const object = objects.get(name)
  if (object instanceof SluiceError) throw object
  return object
}

const missing = (error: unknown): { readonly missing: string } => ({ missing: describeError(error) })

const TRUST_BUNDLES = { apiVersion: 'certificates.k8s.io/v1', kind: 'ClusterTrustBundle' }

const wishOf = ({ audience = '', expirationSeconds = 3600 }: Asked): TokenWish => ({ audience, expirationSeconds })

/** File data as text, for variables. */
export function textOf(data: FileData): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(data).map(([key, bytes]) => [key, bytes.toString('utf8')]))
}

type Names = { readonly configMaps: ReadonlySet<string>; readonly secrets: ReadonlySet<string> }

type Wanted = Names & {
  readonly tokens: readonly Asked[]
  readonly certificates: readonly (readonly [place: string, wish: CertificateWish])[]
  readonly hasTrustBundles: boolean
}

const add = (set: Set<string>, name: string | undefined): void => void (name && set.add(name))

function variablesIn(containers: readonly Container[]): { configMaps: Set<string>; secrets: Set<string> } {
  const [configMaps, secrets] = [new Set<string>(), new Set<string>()]
  for (const { env = [], envFrom = [] } of containers) {
    for (const { valueFrom } of env) {
      add(configMaps, valueFrom?.configMapKeyRef?.name)
      add(secrets, valueFrom?.secretKeyRef?.name)
    }
    for (const { configMapRef, secretRef } of envFrom) {
      add(configMaps, configMapRef?.name)
      add(secrets, secretRef?.name)
    }
  }
  return { configMaps, secrets }
}

function namesIn({ spec }: Pod): Wanted {
  const { configMaps, secrets } = variablesIn(containersOf(spec))
  const tokens: Asked[] = []
  const volumes = spec.volumes ?? []
  const projections = volumes.flatMap(({ projected }) => projected?.sources ?? [])
  for (const { configMap, secret } of volumes) {
    add(configMaps, configMap?.name)
    add(secrets, secret?.secretName)
  }
  for (const { configMap, secret, serviceAccountToken } of projections) {
    add(configMaps, configMap?.name)
    add(secrets, secret?.name)
    if (serviceAccountToken) tokens.push(serviceAccountToken)
  }
  const certificates = volumes.flatMap(({ name, projected }) =>
    (projected?.sources ?? []).flatMap(({ podCertificate }, at) =>
      podCertificate ? [[`${name}/${at}`, podCertificate] as const] : [],
    ),
  )
  const hasTrustBundles = projections.some((each) => each.clusterTrustBundle)
  return { configMaps, secrets, tokens, certificates, hasTrustBundles }
}

function decode(data: unknown, encoding: BufferEncoding): Record<string, Buffer> {
  if (typeof data !== 'object' || data === null) return {}
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(String(value), encoding)]))
}
