import type { Clock } from '../../adapters/clock.ts'
import type { KubeClient } from '../../adapters/kube/types.ts'
import { watchCache } from '../../adapters/kube/watch-cache.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import type { Recorder } from './events.ts'

/** Where nothing can run, every pending pod is told why, once each. */
export function sayWhyPending(
  { client, clock }: { readonly client: KubeClient; readonly clock: Clock },
  why: string,
  record: Recorder,
): { readonly close: () => void } {
  const told = new Set<string>()
  const cache = watchCache(client, { apiVersion: 'v1', kind: 'Pod', fieldSelector: 'status.phase=Pending' }, { clock })
  const tell = (pod: KubeObject, type: string): void => {
    const uid = pod.metadata.uid ?? ''
    if (type === 'DELETED') return void told.delete(uid)
    if (told.has(uid)) return
    told.add(uid)
    record(pod, 'Warning', 'NoDriver', why)
  }
  cache.onChange(tell)
  return { close: cache.close }
}
