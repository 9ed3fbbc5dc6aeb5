import { RESOURCE_CHUNK } from '../../../lib/kube-schema/data/resources.ts'
import { schemaFor } from '../../../lib/kube-schema/builtin.ts'
import { unpack } from '../../../lib/kube-schema/unpack.ts'
import { apiVersionOf, type Resource, type Subresource } from './resource.ts'

type Entry = {
  readonly kind: string
  readonly group: string
  readonly version: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
}

/** Short names and categories, which the OpenAPI document does not tell. */
const NAMES: Readonly<Record<string, readonly [shortNames: string, categories?: string]>> = {
  namespaces: ['ns'],
  pods: ['po', 'all'],
  services: ['svc', 'all'],
  configmaps: ['cm'],
  serviceaccounts: ['sa'],
  events: ['ev'],
  endpoints: ['ep'],
  nodes: ['no'],
  persistentvolumeclaims: ['pvc'],
  persistentvolumes: ['pv'],
  resourcequotas: ['quota'],
  limitranges: ['limits'],
  componentstatuses: ['cs'],
  replicationcontrollers: ['rc', 'all'],
  deployments: ['deploy', 'all'],
  replicasets: ['rs', 'all'],
  statefulsets: ['sts', 'all'],
  daemonsets: ['ds', 'all'],
  jobs: ['', 'all'],
  cronjobs: ['cj', 'all'],
  horizontalpodautoscalers: ['hpa', 'all'],
  ingresses: ['ing'],
  networkpolicies: ['netpol'],
  ipaddresses: ['ip'],
  poddisruptionbudgets: ['pdb'],
  customresourcedefinitions: ['crd crds', 'api-extensions'],
  priorityclasses: ['pc'],
  storageclasses: ['sc'],
  volumeattributesclasses: ['vac'],
  certificatesigningrequests: ['csr'],
  apiservices: ['', 'api-extensions'],
  mutatingadmissionpolicies: ['', 'api-extensions'],
  mutatingadmissionpolicybindings: ['', 'api-extensions'],
  mutatingwebhookconfigurations: ['', 'api-extensions'],
  validatingadmissionpolicies: ['', 'api-extensions'],
  validatingadmissionpolicybindings: ['', 'api-extensions'],
  validatingwebhookconfigurations: ['', 'api-extensions'],
}

/** Kinds that are kept under another key or in another version than their own. */
const STORED: Readonly<Record<string, readonly [key: string, version: string]>> = {
  'events.k8s.io/v1/events': ['/events', 'v1'],
  'autoscaling/v1/horizontalpodautoscalers': ['autoscaling/horizontalpodautoscalers', 'autoscaling/v2'],
}

/** Every built-in kind, from the generated data. */
export function builtinResources(): Resource[] {
  const entries = unpack<Record<string, Entry>>(RESOURCE_CHUNK.all ?? '')
  const out: Resource[] = []
  for (const [key, entry] of Object.entries(entries)) {
    const [group = '', version = '', plural = '', sub] = key.split('/')
    if (sub !== undefined) continue
    const type = schemaFor(apiVersionOf(entry), entry.kind)
    if (type === undefined) continue
    const [shortNames = '', categories = ''] = NAMES[plural] ?? []
    const [storageKey, storedVersion] = STORED[key] ?? [`${group}/${plural}`, apiVersionOf(entry)]
    out.push({
      group,
      version,
      plural,
      kind: entry.kind,
      singular: entry.kind.toLowerCase(),
      shortNames: shortNames.split(' ').filter(Boolean),
      categories: categories.split(' ').filter(Boolean),
      isNamespaced: entry.namespaced,
      // of components the document knows a watch that the server refuses
      verbs: plural === 'componentstatuses' ? ['get', 'list'] : entry.verbs,
      subresources: subresourcesOf(entries, key),
      storageKey,
      storedVersion,
      type,
      custom: undefined,
    })
  }
  return out
}

function subresourcesOf(entries: Readonly<Record<string, Entry>>, key: string): ReadonlyMap<string, Subresource> {
  const out = new Map<string, Subresource>()
  for (const [full, entry] of Object.entries(entries)) {
    if (!full.startsWith(`${key}/`)) continue
    const sub = full.slice(key.length + 1)
    const { kind, group, version, verbs } = entry
    out.set(sub, { kind, group, version, verbs: verbs.length > 0 ? verbs : connectVerbs(sub) })
  }
  return out
}

/** Streams to a container, of which the document says no verbs. The methods that open one count as these. */
function connectVerbs(subresource: string): readonly string[] {
  return subresource === 'proxy' ? ['create', 'delete', 'get', 'patch', 'update'] : ['create', 'get']
}
