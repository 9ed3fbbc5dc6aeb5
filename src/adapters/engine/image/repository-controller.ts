import {
  canonicalName,
  decideImageRepository,
  exclusionsOf,
  type ImageRepositoryChange,
  type ImageRepositorySeen,
  type ScanOutcome,
} from '../../../controllers/image-repository.ts'
import type { ImageStatus } from '../../../controllers/image-status.ts'
import type { Controller } from '../../../engine/controller.ts'
import { type ImageRepository, parseImageRepository } from '../../../kinds/image.ts'
import { readText } from '../../../lib/kube/read.ts'
import { parseRepository } from '../../../lib/oci/reference.ts'
import type { EngineContext } from '../context.ts'
import { keyOf } from '../status-writer.ts'
import { objectIo } from './object-io.ts'
import { type Registries, scanRepository } from './scan.ts'
import type { TagStore } from './tag-store.ts'

/** What the engine remembers of a repository between scans; lost at a restart, which scans at once. */
type Memory = { nextScanMs: number; failures: number; handled: string; outcome: ScanOutcome | undefined }

/** The controller of ImageRepositories; what was scanned goes into the tag store at once. */
export function imageRepositoryController(
  context: EngineContext,
  tags: TagStore,
  registries: Registries,
): Controller<ImageRepositorySeen, ImageRepositoryChange, ImageStatus> {
  const { clock } = context
  const cache = context.caches.open({ apiVersion: 'image.toolkit.fluxcd.io/v1', kind: 'ImageRepository' })
  const io = objectIo(context, cache, 'image-reflector-controller')
  const memories = new Map<string, Memory>()
  const memoryOf = (key: string): Memory => {
    const found = memories.get(key) ?? { nextScanMs: 0, failures: 0, handled: '', outcome: undefined }
    memories.set(key, found)
    return found
  }
  return {
    kind: 'ImageRepository',
    concurrency: 20,
    async watch(wake) {
      cache.onChange((object) => wake.now(keyOf(object)))
      context.onImageChanged((pushed) => {
        for (const object of cache.list()) {
          if (!isSameImage(context, readText(object, 'spec', 'image'), pushed)) continue
          memoryOf(keyOf(object)).nextScanMs = 0
          wake.now(keyOf(object))
        }
      })
      await cache.ready
      for (const object of cache.list()) wake.now(keyOf(object))
    },
    async observe(key) {
      const object = io.view.get(key)
      if (!object) {
        memories.delete(key)
        tags.remove(key)
        return undefined
      }
      const repository = parseImageRepository(object)
      const memory = memoryOf(key)
      const isAsked = memory.handled !== askOf(repository)
      return {
        repository,
        nowMs: clock.nowMs(),
        random: context.random(),
        dueInMs: isAsked ? 0 : memory.nextScanMs - clock.nowMs(),
        hasTags: tags.get(key) !== undefined,
        failures: memory.failures,
        ...(memory.outcome ? { outcome: memory.outcome } : {}),
      }
    },
    decide: decideImageRepository,
    async act(changes, { repository }, key) {
      for (const change of changes) {
        if (change === 'add finalizer') await io.addFinalizer(repository, key)
        else if (change === 'remove finalizer') await io.removeFinalizer(repository, key)
        else await scan(repository, key)
      }
    },
    async settle(status, seen, key) {
      const memory = memoryOf(key)
      if (memory.outcome) {
        const waitMs = memory.outcome.kind === 'failed' ? 0 : seen.repository.intervalMs
        memory.nextScanMs = clock.nowMs() + waitMs * 0.95 - 1
      }
      memory.outcome = undefined
      await io.settle(status, seen.repository, key)
    },
    close: () => cache.close(),
  }

  async function scan(repository: ImageRepository, key: string): Promise<void> {
    const memory = memoryOf(key)
    memory.nextScanMs = Number.MAX_SAFE_INTEGER
    memory.handled = askOf(repository)
    const outcome = await scanRepository(registries, repository)
    memory.outcome = outcome
    memory.failures = outcome.kind === 'failed' ? memory.failures + 1 : 0
    if (outcome.kind === 'scanned') tags.put(key, { image: repository.image, tags: outcome.result.tags })
  }
}

/** Names what was asked for: a scan that answers it need not be repeated. */
function askOf(repository: ImageRepository): string {
  const { generation, requestedAt, image, isSuspended } = repository
  return JSON.stringify([generation, requestedAt, canonicalName(image), exclusionsOf(repository), isSuspended])
}

/** `pushed` is a repository's name in the embedded registry, or an image with its host; aliases count as their target. */
function isSameImage({ registryAliases }: EngineContext, image: string, pushed: string): boolean {
  const parsed = parseRepository(image)
  if (!parsed) return false
  const { host, repository } = parsed
  if (pushed === repository) return true
  return [host, registryAliases[host]].some((name) => name !== undefined && pushed === `${name}/${repository}`)
}
