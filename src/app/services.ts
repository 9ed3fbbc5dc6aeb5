import type { WatchCache } from '../adapters/kube/types.ts'
import type { Access } from './state/access.ts'

type Services = Access['services']

const OWN = new Set(['kube-system', 'flux-system'])

/** The services that people deployed, each with the URL by which this machine reaches it; ordered by namespace and name. */
export function listServices(
  services: WatchCache,
  urlOf: (namespace: string, name: string) => string | undefined,
): Services {
  return services
    .list()
    .map(({ metadata }) => ({
      name: metadata.name,
      namespace: metadata.namespace ?? '',
      url: urlOf(metadata.namespace ?? '', metadata.name),
    }))
    .filter(({ name, namespace }) => !OWN.has(namespace) && !(namespace === 'default' && name === 'kubernetes'))
    .flatMap(({ url, ...service }) => (url === undefined ? [] : [{ ...service, url }]))
    .sort((a, b) => `${a.namespace}/${a.name}`.localeCompare(`${b.namespace}/${b.name}`))
}
