import type { EngineEvent } from '../../engine/event.ts'
import type { SharedCaches } from '../kube/shared-caches.ts'

const PREFIX = 'event.toolkit.fluxcd.io/'

/** Adds to an event what its object wants said with every event: its annotations `event.toolkit.fluxcd.io/…`. */
export function withObjectAnnotations(caches: SharedCaches, event: EngineEvent): EngineEvent {
  const { apiVersion, kind, namespace, name } = event.object
  const cache = caches.open({ apiVersion, kind })
  const annotations = cache.get(namespace, name)?.metadata.annotations ?? {}
  cache.close()
  const wanted = Object.entries(annotations).filter(([key]) => key.startsWith(PREFIX))
  return wanted.length === 0
    ? event
    : { ...event, annotations: { ...Object.fromEntries(wanted), ...event.annotations } }
}
