import {
  canonicalName,
  decideImageRepository,
  exclusionsOf,
  type ImageRepositoryChange,
  type ImageRepositorySeen,
  type ScanOutcome,
} from '../../../controllers/image-repository.ts'
import type { BasicStatus } from '../../../controllers/basic-status.ts'
import type { Controller, Wake } from '../../../engine/controller.ts'
import { type ImageRepository, parseImageRepository } from '../../../kinds/image.ts'
import { readText } from '../../../lib/kube/read.ts'
import { parseRepository } from '../../../lib/oci/reference.ts'
import type { AbsorbingCache } from '../../kube/types.ts'
import type { EngineContext } from '../context.ts'
import { keyOf } from '../status-writer.ts'
import { type ObjectIo, objectIo } from './object-io.ts'
import type { Registries } from '../registries.ts'
import { scanRepository } from './scan.ts'
import type { TagStore } from './tag-store.ts'

/** What the engine remembers of a repository between scans; lost at a restart, which scans at once. */
type Memory = {
  nextScanMs: number
  failures: number
  /** What of the spec was answered for, and the last request. */
  handled: string
  handledRequest: string | undefined
  /** A scan that is not in the status yet, with the object that it was for: what was changed meanwhile is for the next one. */
  scanned: { readonly repository: ImageRepository; readonly outcome: ScanOutcome } | undefined
}

/** What the controller works with. */
type Own = {
  readonly context: EngineContext
  readonly cache: AbsorbingCache
  readonly io: ObjectIo
  readonly tags: TagStore
  readonly registries: Registries
  readonly memories: Map<string, Memory>
}

/** The controller of ImageRepositories; what was scanned goes into the tag store at once. */
export function imageRepositoryController(
  context: EngineContext,
  tags: TagStore,
  registries: Registries,
): Controller<ImageRepositorySeen, ImageRepositoryChange, BasicStatus> {
  const cache = context.caches.open({ apiVersion: 'image.toolkit.fluxcd.io/v1', kind: 'ImageRepository' })
  const io = objectIo(context, cache, 'image-reflector-controller')
  const own: Own = { context, cache, io, tags, registries, memories: new Map() }
  return {
    kind: 'ImageRepository',
    concurrency: 20,
    watch: (wake) => watch(own, wake),
    observe: (key) => observe(own, key),
    decide: decideImageRepository,
    async act(changes, { repository }, key) {
      for (const change of changes) {
        if (change === 'add finalizer') await io.addFinalizer(repository, key)
        else if (change === 'remove finalizer') await io.removeFinalizer(repository, key)
        else await scan(own, repository, key)
      }
    },
    async settle(status, seen, key) {
      const memory = memoryOf(own, key)
      // 0: an image was pushed meanwhile, which the scan may have missed
      if (memory.scanned && memory.nextScanMs !== 0) {
        const waitMs = memory.scanned.outcome.kind === 'failed' ? 0 : seen.repository.intervalMs
        memory.nextScanMs = context.clock.monotonicMs() + waitMs * 0.95 - 1
      }
      memory.scanned = undefined
      note(memory, seen.repository)
      await io.settle(status, seen.repository, key)
    },
    close: () => cache.close(),
  }
}

async function watch(own: Own, wake: Wake): Promise<void> {
  const { cache, context } = own
  cache.onChange((object) => wake.now(keyOf(object)))
  context.onImageChanged((pushed) => {
    for (const object of cache.list()) {
      if (!isSameImage(context, readText(object, 'spec', 'image'), pushed)) continue
      memoryOf(own, keyOf(object)).nextScanMs = 0
      wake.now(keyOf(object))
    }
  })
  await cache.ready
  for (const object of cache.list()) wake.now(keyOf(object))
}

async function observe(own: Own, key: string): Promise<ImageRepositorySeen | undefined> {
  const { context, io, memories, tags } = own
  const object = io.view.get(key)
  if (!object) {
    memories.delete(key)
    tags.remove(key)
    return undefined
  }
  const memory = memoryOf(own, key)
  const scanned = memory.scanned?.repository.uid === object.metadata.uid ? memory.scanned : undefined
  const repository = scanned?.repository ?? parseImageRepository(object)
  return {
    repository,
    nowMs: context.clock.nowMs(),
    random: context.random(),
    traps: context.traps,
    dueInMs: isAsked(memory, repository) ? 0 : memory.nextScanMs - context.clock.monotonicMs(),
    hasTags: tags.get(key) !== undefined,
    failures: memory.failures,
    ...(scanned ? { outcome: scanned.outcome } : {}),
  }
}

async function scan(own: Own, repository: ImageRepository, key: string): Promise<void> {
  const memory = memoryOf(own, key)
  memory.nextScanMs = Number.MAX_SAFE_INTEGER
  note(memory, repository)
  const outcome = await scanRepository(own.registries, repository, own.context.within).catch((error: unknown) => {
    // its backoff brings it back, and it is due then
    memory.nextScanMs = 0
    throw error
  })
  memory.scanned = { repository, outcome }
  memory.failures = outcome.kind === 'failed' ? memory.failures + 1 : 0
  if (outcome.kind === 'scanned') own.tags.put(key, { image: repository.image, tags: outcome.result.tags })
}

function memoryOf({ memories }: Own, key: string): Memory {
  const found = memories.get(key) ?? {
    nextScanMs: 0,
    failures: 0,
    handled: '',
    handledRequest: undefined,
    scanned: undefined,
  }
  memories.set(key, found)
  return found
}

/** Asked for something that was not answered yet; a request that is taken back asks for nothing. */
function isAsked({ handled, handledRequest }: Memory, repository: ImageRepository): boolean {
  const { requestedAt } = repository
  return handled !== askOf(repository) || (requestedAt !== undefined && requestedAt !== handledRequest)
}

function note(memory: Memory, repository: ImageRepository): void {
  memory.handled = askOf(repository)
  memory.handledRequest = repository.requestedAt
}

function askOf(repository: ImageRepository): string {
  const { generation, image, isSuspended } = repository
  return JSON.stringify([generation, canonicalName(image), exclusionsOf(repository), isSuspended])
}

/** `pushed` is a repository's name in the embedded registry, or an image with its host; aliases count as their target. */
function isSameImage({ registryAliases }: EngineContext, image: string, pushed: string): boolean {
  const parsed = parseRepository(image)
  if (!parsed) return false
  const { host, repository } = parsed
  if (pushed === repository) return true
  return [host, registryAliases[host]].some((name) => name !== undefined && pushed === `${name}/${repository}`)
}
