import type { WatchCache } from '../../adapters/kube/types.ts'
import { indexBy, type NameIndex } from './index-by.ts'
import { as, type Pod } from './shapes.ts'

const known = new WeakMap<WatchCache, NameIndex>()

/** Pods by the node that they are on; one index a cache, whoever asks. */
export function podsByNode(pods: WatchCache): NameIndex {
  const found = known.get(pods)
  if (found !== undefined) return found
  const index = indexBy(pods, (pod) => {
    const { nodeName = '' } = as<Pod>(pod).spec
    return nodeName === '' ? [] : [nodeName]
  })
  known.set(pods, index)
  return index
}
