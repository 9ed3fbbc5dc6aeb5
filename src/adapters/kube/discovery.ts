import { groupOf } from '../../lib/kube/object.ts'
import { isRecord } from '../../lib/value/is-record.ts'
import type { KubeResource } from './types.ts'

/** Asks the server for a JSON document; `undefined` on 404. */
export type FetchJson = (path: string, accept?: string) => Promise<unknown>

/** What the server serves, looked up when asked and then remembered. */
export type Discovery = {
  readonly resource: (apiVersion: string, kind: string) => Promise<KubeResource | undefined>
  /** Every kind of every preferred and older version, by one aggregated request where the server knows it. */
  readonly all: () => Promise<readonly KubeResource[]>
  /** Forgets a group version, because its paths answered 404. */
  readonly forget: (apiVersion: string) => void
}

type Json = { readonly [field: string]: unknown }

const AGGREGATED = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat('application/json')
  .join(',')

/**
 * Maps kinds to paths. One request per group version, remembered; a kind that is missing is looked up once more,
 * because its CRD may have been made since. Users of the same lookup share one request.
 */
export function createDiscovery(fetchJson: FetchJson): Discovery {
  const known = new Map<string, Promise<ReadonlyMap<string, KubeResource>>>()

  const look = (apiVersion: string): Promise<ReadonlyMap<string, KubeResource>> => {
    const pending = fetchJson(pathOf(apiVersion)).then((list) => byKind(resourcesOf(apiVersion, list)))
    known.set(apiVersion, pending)
    pending.catch(() => known.get(apiVersion) === pending && known.delete(apiVersion))
    return pending
  }
  return {
    async resource(apiVersion, kind) {
      const before = known.get(apiVersion)
      const found = (await (before ?? look(apiVersion))).get(kind)
      if (found || before === undefined) return found
      const meanwhile = known.get(apiVersion)
      return (await (meanwhile !== before && meanwhile ? meanwhile : look(apiVersion))).get(kind)
    },
    async all() {
      const [core, groups] = await Promise.all([fetchJson('/api', AGGREGATED), fetchJson('/apis', AGGREGATED)])
      const aggregated = [core, groups].map(aggregatedResources)
      if (aggregated.every((part) => part !== undefined)) return aggregated.flat()
      const versions = ['v1', ...groupVersions(groups)]
      const lists = await Promise.all(versions.map(async (v) => resourcesOf(v, await fetchJson(pathOf(v)))))
      return lists.flat()
    },
    forget: (apiVersion) => void known.delete(apiVersion),
  }
}

/** The path of a group version: `/api/v1`, `/apis/apps/v1`. */
export function pathOf(apiVersion: string): string {
  return groupOf(apiVersion) === '' ? `/api/${encodeURIComponent(apiVersion)}` : `/apis/${encodePair(apiVersion)}`
}

function encodePair(apiVersion: string): string {
  return apiVersion.split('/').map(encodeURIComponent).join('/')
}

/** A kind is found by its name in small letters, too, as Kubernetes' own clients find it: the server says then what is wrong with it. */
function byKind(resources: readonly KubeResource[]): ReadonlyMap<string, KubeResource> {
  const small = resources.map((resource) => [resource.kind.toLowerCase(), resource] as const)
  return new Map([...small, ...resources.map((resource) => [resource.kind, resource] as const)])
}

function resourcesOf(apiVersion: string, list: unknown): KubeResource[] {
  return listOf(list, 'resources').flatMap((entry) => {
    const { name, kind, namespaced, verbs } = entry
    if (typeof name !== 'string' || name.includes('/') || typeof kind !== 'string') return []
    return [{ apiVersion, kind, plural: name, namespaced: namespaced === true, verbs: texts(verbs) }]
  })
}

function aggregatedResources(document: unknown): KubeResource[] | undefined {
  if (!isRecord(document) || document['kind'] !== 'APIGroupDiscoveryList') return undefined
  return listOf(document, 'items').flatMap((group) => {
    const name = isRecord(group['metadata']) ? group['metadata']['name'] : undefined
    return listOf(group, 'versions').flatMap((version) => {
      const apiVersion =
        typeof name === 'string' && name !== '' ? `${name}/${version['version']}` : `${version['version']}`
      return listOf(version, 'resources').flatMap((entry) => aggregatedResource(apiVersion, entry))
    })
  })
}

function aggregatedResource(apiVersion: string, entry: Json): KubeResource[] {
  const { resource, responseKind, scope, verbs } = entry
  const kind = isRecord(responseKind) ? responseKind['kind'] : undefined
  if (typeof resource !== 'string' || typeof kind !== 'string') return []
  return [{ apiVersion, kind, plural: resource, namespaced: scope === 'Namespaced', verbs: texts(verbs) }]
}

function groupVersions(groups: unknown): string[] {
  return listOf(groups, 'groups').flatMap((group) =>
    listOf(group, 'versions').flatMap(({ groupVersion }) => (typeof groupVersion === 'string' ? [groupVersion] : [])),
  )
}

function listOf(document: unknown, field: string): Json[] {
  const list = isRecord(document) ? document[field] : undefined
  return Array.isArray(list) ? list.filter(isRecord) : []
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
