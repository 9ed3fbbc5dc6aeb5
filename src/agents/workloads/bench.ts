import type { Clock } from '../../adapters/clock.ts'
import { ApiError } from '../../adapters/kube/api-error.ts'
import type { HttpKubeClient } from '../../adapters/kube/client.ts'
import type { SharedCaches } from '../../adapters/kube/shared-caches.ts'
import type { AbsorbingCache, Selection } from '../../adapters/kube/types.ts'
import { refOf, type KubeObject } from '../../lib/kube/object.ts'
import type { Teller } from './events.ts'
import { isSame } from './meta.ts'
import { FIELD_MANAGER, type Telling, type Write } from './write.ts'

/** What every controller works with. */
export type Bench = {
  readonly client: HttpKubeClient
  readonly clock: Clock
  readonly tell: Teller
  readonly log: (line: string) => void
  /** The live copy of a kind, shared among the controllers. */
  readonly cache: (apiVersion: string, kind: string) => AbsorbingCache
  /** The live copy of some objects of a kind. */
  readonly cacheOf: (selection: Selection) => AbsorbingCache
  /** The full live copy of a kind, if a controller has opened one. */
  readonly known: (apiVersion: string, kind: string) => AbsorbingCache | undefined
  /** Carries writes out in order, neighbours of one kind (creations, deletions, …) in growing batches. Stops at the first refusal. */
  readonly carryOut: (component: string, writes: readonly Write[]) => Promise<void>
}

/** Builds the bench; caches open when first asked for. */
export function createBench(
  client: HttpKubeClient,
  clock: Clock,
  caches: SharedCaches,
  tell: Teller,
  log: (line: string) => void,
): Bench {
  const open = new Map<string, AbsorbingCache>()
  const partial = new Map<string, AbsorbingCache>()
  const cacheOf = (selection: Selection): AbsorbingCache => {
    const { apiVersion, kind, fieldSelector, metadataOnly } = selection
    const key = `${apiVersion}/${kind}`
    if (fieldSelector === undefined) {
      const whole = open.get(key)
      if (whole !== undefined) return whole
    }
    const isPartial = fieldSelector !== undefined || metadataOnly === true
    const [map, name] = isPartial ? [partial, `${key} ${fieldSelector ?? ''}`] : [open, key]
    const found = map.get(name) ?? caches.open(selection)
    map.set(name, found)
    return found
  }
  const known = (object: KubeObject): AbsorbingCache | undefined => open.get(`${object.apiVersion}/${object.kind}`)
  const carry = (component: string, write: Write): Promise<void> => carryOne(client, tell, known, component, write)
  return {
    client,
    clock,
    tell,
    log,
    cache: (apiVersion, kind) => cacheOf({ apiVersion, kind }),
    cacheOf,
    known: (apiVersion, kind) => open.get(`${apiVersion}/${kind}`),
    async carryOut(component, writes) {
      for (const alike of neighbours(writes))
        for (let at = 0, size = 1; at < alike.length; at += size, size *= 2)
          await all(alike.slice(at, at + size).map((write) => carry(component, write)))
    },
  }
}

/** What follows something else may say that this is done: it waits for it. */
function neighbours(writes: readonly Write[]): readonly (readonly Write[])[] {
  const runs: Write[][] = []
  for (const write of writes) {
    const last = runs.at(-1)
    if (last?.[0]?.do === write.do) last.push(write)
    else runs.push([write])
  }
  return runs
}

/** Waits for all, then throws the first refusal. */
async function all(tasks: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(tasks)
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}

async function carryOne(
  client: HttpKubeClient,
  tell: Teller,
  known: (object: KubeObject) => AbsorbingCache | undefined,
  component: string,
  write: Write,
): Promise<void> {
  const manager = { fieldManager: FIELD_MANAGER }
  try {
    const answer = await send(client, write, manager)
    if (write.do === 'delete') {
      if (answer) known(write.object)?.absorb(answer)
      else known(write.object)?.absorbDeletion(write.object)
    } else if (answer) known(answer)?.absorb(answer)
    const name = answer?.metadata.name ?? ''
    if (write.tell) tell(component, filled(write.tell, '{name}', name))
  } catch (error) {
    const isGone = error instanceof ApiError && error.status === 404
    if (isGone && (write.do === 'replace' || write.do === 'patch')) return
    // a pod that exists already is seen at the next look, or is another's: the original tells of neither
    const isTold = error instanceof ApiError && error.reason !== 'AlreadyExists'
    if ('tellFailure' in write && write.tellFailure && isTold)
      tell(component, filled(write.tellFailure, '{error}', error.message))
    throw error
  }
}

function send(
  client: HttpKubeClient,
  write: Write,
  manager: { readonly fieldManager: string },
): Promise<KubeObject | undefined> {
  switch (write.do) {
    case 'create':
      return client.create(write.object, manager)
    case 'replace':
      return write.subresource === 'status'
        ? replaceStatus(client, write.object, manager)
        : client.replace(write.object, { ...manager, ...(write.subresource && { subresource: write.subresource }) })
    case 'patch':
      return client.patch(write.ref, write.type, write.body, {
        ...manager,
        ...(write.subresource && { subresource: write.subresource }),
      })
    case 'delete': {
      const { uid } = write.object.metadata
      return client.remove(refOf(write.object), { ...(uid !== undefined && { uid }), ...write.options })
    }
    case 'tell':
      return Promise.resolve(undefined)
  }
}

/** Kubernetes takes annotations along with a status; where a server does not, they are sent on their own. */
async function replaceStatus(
  client: HttpKubeClient,
  object: KubeObject,
  manager: { readonly fieldManager: string },
): Promise<KubeObject> {
  const answer = await client.replace(object, { ...manager, subresource: 'status' })
  const { annotations = {} } = object.metadata
  if (isSame(answer.metadata.annotations ?? {}, annotations)) return answer
  return client.patch(refOf(object), 'merge', { metadata: { annotations } }, manager)
}

function filled(telling: Telling, mark: string, text: string): Telling {
  return { ...telling, message: telling.message.replace(mark, () => text) }
}
