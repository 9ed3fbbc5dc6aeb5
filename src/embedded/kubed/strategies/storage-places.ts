import type { Resource } from '../resources/resource.ts'

/** Kinds that are not kept under their plural. */
const ETCD_PLACES: Readonly<Record<string, string>> = {
  '/services': 'services/specs',
  '/endpoints': 'services/endpoints',
  '/nodes': 'minions',
  '/replicationcontrollers': 'controllers',
  'networking.k8s.io/ingresses': 'ingress',
  'apiextensions.k8s.io/customresourcedefinitions': 'apiextensions.k8s.io/customresourcedefinitions',
}

/** The place of a kind under the root of etcd, which some messages show. */
export function storedUnder({ custom, storageKey, plural }: Resource): string {
  return custom === undefined ? (ETCD_PLACES[storageKey] ?? plural) : storageKey
}
