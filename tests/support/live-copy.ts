import type { AbsorbingCache } from '../../src/adapters/kube/types.ts'
import type { KubeObject } from '../../src/lib/kube/object.ts'

/** The live copy of a kind that a test changes: `tell` is what its watch brings. */
export function liveCopy(objects: KubeObject[]) {
  const heard: Parameters<AbsorbingCache['onChange']>[0][] = []
  const cache: AbsorbingCache = {
    ready: Promise.resolve(),
    refused: new Promise(() => undefined),
    list: () => objects,
    get: (_namespace, name) => objects.find(({ metadata }) => metadata.name === name),
    onChange: (listener) => (heard.push(listener), () => undefined),
    absorb: () => undefined,
    absorbDeletion: () => undefined,
    close: () => undefined,
  }
  const tell = (object: KubeObject, type: 'ADDED' | 'MODIFIED' | 'DELETED'): void => {
    objects.splice(0, objects.length, ...objects.filter(({ metadata }) => metadata.name !== object.metadata.name))
    if (type !== 'DELETED') objects.push(object)
    for (const listener of heard) listener(object, type)
  }
  return { cache, tell }
}
