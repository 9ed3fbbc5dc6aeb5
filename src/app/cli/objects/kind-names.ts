import type { KubeClient } from '../../../adapters/kube/types.ts'
import { nearest } from '../../../lib/value/nearest.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { own } from '../../../lib/value/own.ts'

/** A kind that a person named on the command line, in the version that the server prefers. */
export type NamedKind = {
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
}

type FluxKind = {
  readonly kind: string
  readonly group: string
  readonly plural: string
  readonly names: readonly string[]
}

const SOURCE = 'source.toolkit.fluxcd.io'
const KUSTOMIZE = 'kustomize.toolkit.fluxcd.io'
const IMAGE = 'image.toolkit.fluxcd.io'
const NOTIFICATION = 'notification.toolkit.fluxcd.io'
const HELM = 'helm.toolkit.fluxcd.io'

/** The kinds of Flux with the names that flux and kubectl give them, those of Helm too: we do nothing for them, and their status says so. */
export const FLUX_KINDS: readonly FluxKind[] = [
  {
    kind: 'GitRepository',
    group: SOURCE,
    plural: 'gitrepositories',
    names: ['gitrepo', 'source git', 'sources git', 'git'],
  },
  { kind: 'OCIRepository', group: SOURCE, plural: 'ocirepositories', names: ['ocirepo', 'source oci', 'sources oci'] },
  { kind: 'Bucket', group: SOURCE, plural: 'buckets', names: ['source bucket', 'sources bucket'] },
  {
    kind: 'ExternalArtifact',
    group: SOURCE,
    plural: 'externalartifacts',
    names: ['ea', 'source external', 'sources external'],
  },
  {
    kind: 'HelmRepository',
    group: SOURCE,
    plural: 'helmrepositories',
    names: ['helmrepo', 'source helm', 'sources helm'],
  },
  { kind: 'HelmChart', group: SOURCE, plural: 'helmcharts', names: ['hc', 'source chart', 'sources chart'] },
  { kind: 'Kustomization', group: KUSTOMIZE, plural: 'kustomizations', names: ['ks'] },
  {
    kind: 'ImageRepository',
    group: IMAGE,
    plural: 'imagerepositories',
    names: ['imgrepo', 'image repository', 'images repository'],
  },
  { kind: 'ImagePolicy', group: IMAGE, plural: 'imagepolicies', names: ['imgpol', 'image policy', 'images policy'] },
  {
    kind: 'ImageUpdateAutomation',
    group: IMAGE,
    plural: 'imageupdateautomations',
    names: ['iua', 'image update', 'images update'],
  },
  { kind: 'HelmRelease', group: HELM, plural: 'helmreleases', names: ['hr'] },
  { kind: 'Receiver', group: NOTIFICATION, plural: 'receivers', names: [] },
  { kind: 'Provider', group: NOTIFICATION, plural: 'providers', names: ['alert-provider', 'alert-providers'] },
  { kind: 'Alert', group: NOTIFICATION, plural: 'alerts', names: [] },
]

/** What to say of a kind of Helm's; `undefined` for every other. */
export function notServed(kind: string | undefined): string | undefined {
  const isHelms = kind !== undefined && ['HelmRepository', 'HelmChart', 'HelmRelease'].includes(kind)
  return isHelms ? `${kind} objects are not served by this version of sluice` : undefined
}

type ApiResource = { name: string; singularName: string; kind: string; namespaced: boolean; shortNames?: string[] }

/**
 * Finds the kind that a person means: plural, singular, kind or short name, with `.group` where it is not unique.
 *
 * @throws SluiceError KIND_UNKNOWN when the server has no such kind
 */
export async function findKind(client: KubeClient, name: string): Promise<NamedKind> {
  const [bare = '', ...group] = name.toLowerCase().split('.')
  const flux = group.length === 0 ? fluxKind(bare) : undefined
  const groups = await groupVersions(client)
  const wanted = flux?.group ?? (group.length > 0 ? group.join('.') : undefined)
  for (const apiVersion of groups) {
    if (wanted !== undefined && apiVersion.split('/')[0] !== wanted && !(wanted === '' && apiVersion === 'v1')) continue
    const found = (await resourcesOf(client, apiVersion)).find((resource) => matches(resource, flux?.plural ?? bare))
    if (found) return { apiVersion, kind: found.kind, plural: found.name, namespaced: found.namespaced }
  }
  const known = await Promise.all(groups.map((apiVersion) => resourcesOf(client, apiVersion)))
  const near = nearest(bare, [
    ...known.flat().map((resource) => resource.name),
    ...FLUX_KINDS.map(({ plural }) => plural),
  ])
  throw new SluiceError('KIND_UNKNOWN', `the server doesn't have a resource type "${name}"`, {
    where: client.server,
    hint: `${near.length === 0 ? '' : `did you mean ${near.join(' or ')}? `}kubectl api-resources lists what it has`,
  })
}

/** The Flux kind that goes by a name; `undefined` for others. */
export function fluxKind(name: string): FluxKind | undefined {
  const lower = name.toLowerCase()
  return FLUX_KINDS.find((kind) => [kind.plural, kind.kind.toLowerCase(), ...kind.names].includes(lower))
}

const GROUPS_OF_KINDS: Readonly<Record<string, (kind: FluxKind) => boolean>> = {
  all: () => true,
  'image all': ({ group }) => group === IMAGE,
  'images all': ({ group }) => group === IMAGE,
  'source all': ({ group }) => group === SOURCE,
  'sources all': ({ group }) => group === SOURCE,
}

/** The kinds that `flux get all`, `images all` and `sources all` list; `undefined` for every other name. */
export function kindsOfGroup(words: readonly string[]): readonly string[] | undefined {
  const wanted = own(GROUPS_OF_KINDS, words.join(' ').toLowerCase())
  return wanted && FLUX_KINDS.filter(wanted).map(({ plural }) => plural)
}

/** Finds several kinds; those that the server does not have are left out. */
export async function findKinds(client: KubeClient, names: readonly string[]): Promise<readonly NamedKind[]> {
  const found: NamedKind[] = []
  for (const name of names)
    try {
      found.push(await findKind(client, name))
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== 'KIND_UNKNOWN') throw error
    }
  return found
}

/** Splits `flux`-style words (`source git`, `image policy`, `kustomization/apps`) into the kind's name and what follows. */
export function splitKind(words: readonly string[]): { readonly kind: string; readonly rest: readonly string[] } {
  const [first = '', second, ...rest] = words
  if (second !== undefined && fluxKind(`${first} ${second}`)) return { kind: `${first} ${second}`, rest }
  const slash = first.indexOf('/')
  if (slash > 0) return { kind: first.slice(0, slash), rest: [first.slice(slash + 1), ...words.slice(1)] }
  return { kind: first, rest: words.slice(1) }
}

/** Every version of every group, the one that the server prefers first: Alerts and Providers have another than Receivers. */
async function groupVersions(client: KubeClient): Promise<readonly string[]> {
  type Version = { groupVersion: string }
  const { text } = await client.raw('GET', '/apis')
  const list: { groups?: { preferredVersion: Version; versions?: Version[] }[] } = JSON.parse(text)
  const all = (list.groups ?? []).flatMap(({ preferredVersion, versions = [] }) =>
    [preferredVersion, ...versions].map(({ groupVersion }) => groupVersion),
  )
  return ['v1', ...new Set(all)]
}

async function resourcesOf(client: KubeClient, apiVersion: string): Promise<readonly ApiResource[]> {
  const { text, status } = await client.raw('GET', apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`)
  if (status !== 200) return []
  const list: { resources?: ApiResource[] } = JSON.parse(text)
  return (list.resources ?? []).filter((resource) => !resource.name.includes('/'))
}

function matches(resource: ApiResource, name: string): boolean {
  return [resource.name, resource.singularName, resource.kind.toLowerCase(), ...(resource.shortNames ?? [])].includes(
    name,
  )
}
