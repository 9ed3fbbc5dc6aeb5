import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '../../../lib/kube/json.ts'
import { groupsOf } from '../resources/groups.ts'
import type { Registry } from '../resources/registry.ts'
import { apiVersionOf, type Resource, type Subresource } from '../resources/resource.ts'

/** `GET /apis`. */
export function groupList(registry: Registry): JsonObject {
  const groups = groupsOf(registry).filter(([group]) => group !== '')
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groups.map(([group, versions]) => groupEntry(group, versions)),
  }
}

function groupEntry(name: string, versions: readonly string[]): JsonObject {
  const each = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions: each, preferredVersion: each[0] }
}

/** `GET /apis/GROUP`; undefined when there is none. */
export function groupDocument(registry: Registry, name: string): JsonObject | undefined {
  const found = groupsOf(registry).find(([group]) => group === name)
  return found === undefined ? undefined : { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(name, found[1]) }
}

const inVersion = (registry: Registry, group: string, version: string): Resource[] =>
  registry
    .all()
    .filter((each) => each.group === group && each.version === version)
    .sort((a, b) => (a.plural < b.plural ? -1 : 1))

/** `GET /api/v1` and `/apis/GROUP/VERSION`; undefined when it is not served. */
export function resourceList(registry: Registry, group: string, version: string): JsonObject | undefined {
  const resources = inVersion(registry, group, version)
  if (resources.length === 0) return undefined
  const entries: Json[] = []
  for (const resource of resources) {
    entries.push({
      name: resource.plural,
      singularName: resource.singular,
      namespaced: resource.isNamespaced,
      kind: resource.kind,
      verbs: [...offered(resource)],
      shortNames: resource.shortNames.length > 0 ? [...resource.shortNames] : undefined,
      categories: resource.categories.length > 0 ? [...resource.categories] : undefined,
      storageVersionHash: isStorageTold(registry, resource) ? storageVersionHash(resource) : undefined,
    })
    for (const [name, sub] of subresourcesOf(resource))
      entries.push({
        name: `${resource.plural}/${name}`,
        singularName: '',
        namespaced: resource.isNamespaced,
        ...(sub.group === group && sub.version === version ? {} : { group: sub.group, version: sub.version }),
        kind: sub.kind,
        verbs: [...sub.verbs],
      })
  }
  return {
    kind: 'APIResourceList',
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: apiVersionOf({ group, version }),
    resources: entries,
  }
}

/** Nothing new comes of a kind whose definition is to go. */
const offered = ({ verbs, custom }: Resource): readonly string[] =>
  custom?.isEnding === true ? verbs.filter((verb) => !['patch', 'create', 'update'].includes(verb)) : verbs

/** By name; those of definitions as the server makes them. */
function subresourcesOf({ custom, subresources }: Resource): [string, Subresource][] {
  const all = [...subresources]
  return custom === undefined ? all.sort(([a], [b]) => (a < b ? -1 : 1)) : all
}

/** Where a definition keeps its objects is not told when it does not serve that version. */
function isStorageTold(registry: Registry, { verbs, custom, group, kind, storedVersion }: Resource): boolean {
  if (custom === undefined) return verbs.includes('get')
  return registry
    .all()
    .some((each) => each.group === group && each.kind === kind && apiVersionOf(each) === storedVersion)
}

/** Tells clients when the version changes in which objects are kept. */
function storageVersionHash({ group, storedVersion, kind }: Resource): string {
  const version = storedVersion.slice(storedVersion.indexOf('/') + 1)
  return createHash('sha256').update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString('base64')
}

/** Aggregated discovery of the core group (`/api`) or of all others (`/apis`). */
export function aggregated(registry: Registry, core: boolean): JsonObject {
  const groups = groupsOf(registry).filter(([group]) => (group === '') === core)
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map(([group, versions]) => ({
      metadata: { name: group === '' ? undefined : group },
      versions: versions.map((version) => ({
        version,
        resources: inVersion(registry, group, version).map(aggregatedResource),
        freshness: 'Current',
      })),
    })),
  }
}

function aggregatedResource(resource: Resource): JsonObject {
  // Built-in kinds say only which group they are of where it is another one than the list's.
  const kindOf = ({ group, version, kind }: { group: string; version: string; kind: string }): JsonObject =>
    resource.custom === undefined && group === resource.group && version === resource.version
      ? { group: '', version: '', kind }
      : { group, version, kind }
  return {
    resource: resource.plural,
    responseKind: kindOf(resource),
    scope: resource.isNamespaced ? 'Namespaced' : 'Cluster',
    singularResource: resource.singular,
    verbs: [...offered(resource)],
    shortNames: resource.shortNames.length > 0 ? [...resource.shortNames] : undefined,
    categories: resource.categories.length > 0 ? [...resource.categories] : undefined,
    subresources:
      resource.subresources.size === 0
        ? undefined
        : subresourcesOf(resource).map(([subresource, sub]) => ({
            subresource,
            responseKind: kindOf(sub),
            verbs: [...sub.verbs],
          })),
  }
}
