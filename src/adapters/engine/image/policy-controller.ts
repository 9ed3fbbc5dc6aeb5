import { isDeepStrictEqual } from 'node:util'
import {
  decideImagePolicy,
  type DigestOutcome,
  type ImagePolicyChange,
  type ImagePolicySeen,
  type ImagePolicyStatus,
  type PolicyRepository,
} from '../../../controllers/image-policy.ts'
import { imageFault } from '../../../controllers/image-repository.ts'
import type { Controller, Wake } from '../../../engine/controller.ts'
import { type ImagePolicy, parseImagePolicy, parseImageRepository } from '../../../kinds/image.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { matchesSelector } from '../../../lib/kube/label-selector.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { isSuspended } from '../../../kinds/flux-object.ts'
import { read, readText } from '../../../lib/kube/read.ts'
import { parseRepository } from '../../../lib/oci/reference.ts'
import { explainPolicy } from '../../../pipeline/image/policy.ts'
import { ApiError } from '../../kube/api-error.ts'
import type { AbsorbingCache } from '../../kube/types.ts'
import type { EngineContext } from '../context.ts'
import { keyOf } from '../status-writer.ts'
import { type ObjectIo, objectIo } from './object-io.ts'
import type { Registries } from '../registries.ts'
import type { TagStore } from './tag-store.ts'

type Memory = {
  digest: DigestOutcome | undefined
  digestAtMs: number
  failures: number
  /** Since when this engine has known it. */
  readonly knownSinceMs: number
  reported: string
  tags: readonly string[] | undefined
}

/** What policies resolve to, for automations: known here before the API server has it. */
export type PolicyStore = {
  readonly onResolved: (handler: (namespace: string) => void) => void
  readonly list: (namespace: string) => readonly ImagePolicy[]
}

/** What the controller works with. */
type Own = {
  readonly context: EngineContext
  readonly cache: AbsorbingCache
  readonly repositories: AbsorbingCache
  readonly io: ObjectIo
  readonly tags: TagStore
  readonly registries: Registries
  readonly memories: Map<string, Memory>
}

type PolicyController = Controller<ImagePolicySeen, ImagePolicyChange, ImagePolicyStatus>

/** The controller of ImagePolicies: woken by scans, decides purely, asks the registry only for digests. */
export function imagePolicyController(
  context: EngineContext,
  tags: TagStore,
  registries: Registries,
): { readonly controller: PolicyController; readonly store: PolicyStore } {
  const cache = context.caches.open({ apiVersion: 'image.toolkit.fluxcd.io/v1', kind: 'ImagePolicy' })
  const repositories = context.caches.open({ apiVersion: 'image.toolkit.fluxcd.io/v1', kind: 'ImageRepository' })
  const io = objectIo(context, cache, 'image-reflector-controller')
  const own: Own = { context, cache, repositories, io, tags, registries, memories: new Map() }
  const handlers: ((namespace: string) => void)[] = []
  const controller: PolicyController = {
    kind: 'ImagePolicy',
    concurrency: 20,
    watch: (wake) => watch(own, wake),
    observe: (key) => observe(own, key),
    decide: decideImagePolicy,
    async act(changes, { policy }, key) {
      for (const change of changes) {
        if (change.kind === 'add finalizer') await io.addFinalizer(policy, key)
        else if (change.kind === 'remove finalizer') await io.removeFinalizer(policy, key)
        else if (change.kind === 'look up digest') await lookUpDigest(own, policy, change.tag, key)
      }
    },
    async settle(status, { policy }, key) {
      const memory = memoryOf(own, key)
      memory.digest = undefined
      memory.tags = tagsFor(own, policy)
      report(own, status, key)
      await io.settle(status, policy, key)
      handlers.forEach((handler) => handler(policy.namespace))
    },
    close() {
      cache.close()
      repositories.close()
    },
  }
  const list = (namespace: string): readonly ImagePolicy[] =>
    cache.list(namespace).flatMap((object) => {
      const known = io.view.get(keyOf(object))
      return known ? [parseImagePolicy(known)] : []
    })
  return { controller, store: { onResolved: (handler) => void handlers.push(handler), list } }
}

async function watch({ context, cache, repositories, tags }: Own, wake: Wake): Promise<void> {
  const wakeUsers = (repository: string): void => {
    for (const object of cache.list()) if (repositoryKey(object) === repository) wake.now(keyOf(object))
  }
  cache.onChange((object) => wake.now(keyOf(object)))
  repositories.onChange((object, type) => {
    if (type !== 'MODIFIED') wakeUsers(keyOf(object))
  })
  tags.onChange((repository) => {
    // In Flux a policy keeps its choice when all tags go.
    if (context.traps === 'safe' || tags.get(repository)?.tags.length !== 0) wakeUsers(repository)
  })
  await Promise.all([cache.ready, repositories.ready])
  for (const object of cache.list()) wake.now(keyOf(object))
}

async function observe(own: Own, key: string): Promise<ImagePolicySeen | undefined> {
  const { context, io, memories } = own
  const object = io.view.get(key)
  if (!object) {
    if (memories.delete(key)) void context.report({ kind: 'deletion', policy: key })
    return undefined
  }
  const policy = parseImagePolicy(object)
  const memory = memoryOf(own, key)
  return {
    policy,
    repository: await repositoryOf(own, policy, object),
    traps: context.traps,
    nowMs: context.clock.nowMs(),
    failures: memory.failures,
    knownMs: context.clock.monotonicMs() - memory.knownSinceMs,
    digestDueInMs: memory.digestAtMs + (policy.intervalMs ?? 60_000) - context.clock.monotonicMs(),
    isNewScan: memory.tags !== undefined && !isDeepStrictEqual(memory.tags, tagsFor(own, policy)),
    ...(memory.digest ? { digest: memory.digest } : {}),
  }
}

/** The tags that a policy chooses from. */
function tagsFor({ repositories, tags }: Own, { repository }: ImagePolicy): readonly string[] | undefined {
  const object = repositories.get(repository.namespace, repository.name)
  return object && tags.get(keyOf(object))?.tags
}

async function repositoryOf(
  own: Own,
  { namespace, repository }: ImagePolicy,
  policy: KubeObject,
): Promise<PolicyRepository> {
  if (repository.namespace !== namespace && !own.context.crossNamespace) return { kind: 'blocked' }
  const object = own.repositories.get(repository.namespace, repository.name)
  if (!object) return { kind: 'missing' }
  if (repository.namespace !== namespace && !(await mayUse(own, object, namespace)))
    return { kind: 'forbidden', hasAccessFrom: read(object, 'spec', 'accessFrom') !== undefined }
  const fault = imageFault(readText(object, 'spec', 'image'))
  if (fault !== undefined) return { kind: 'invalid', fault }
  const known = own.tags.get(keyOf(object))
  if (known) return { kind: 'scanned', ...known, olderByMs: madeMs(policy) - madeMs(object) }
  const wasScanned = read(object, 'status', 'lastScanResult') !== undefined
  return { kind: 'unscanned', wasScanned, isSuspended: isSuspended(object) }
}

function madeMs({ metadata }: KubeObject): number {
  return Date.parse(metadata.creationTimestamp ?? '')
}

async function mayUse({ context }: Own, repository: KubeObject, namespace: string): Promise<boolean> {
  const { accessFrom } = parseImageRepository(repository)
  if (accessFrom.length === 0) return false
  const object = await context.client.get({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace })
  return accessFrom.some((selector) => matchesSelector(selector, object?.metadata.labels ?? {}))
}

async function lookUpDigest(own: Own, policy: ImagePolicy, tag: string, key: string): Promise<void> {
  const memory = memoryOf(own, key)
  memory.digestAtMs = own.context.clock.monotonicMs()
  const object = own.repositories.get(policy.repository.namespace, policy.repository.name)
  const repository = object && parseImageRepository(object)
  const target = repository && parseRepository(repository.image)
  if (!repository || !target) return
  const fetching = (why: string): string => `failed fetching descriptor for "${repository.image}:${tag}": ${why}`
  const failed = (why: string): DigestOutcome => ({
    kind: 'failed',
    tag,
    message: `failed fetching digest of ${repository.image}:${tag}: ${why}`,
  })
  try {
    const client = await own.registries.clientFor(repository, target)
    const found = await client.headManifest(target, tag, { signal: own.context.within(repository.timeoutMs) })
    memory.digest = found ? { kind: 'known', tag, digest: found.digest } : failed(fetching('manifest unknown'))
  } catch (error) {
    if (!(error instanceof SluiceError) && !(error instanceof ApiError)) throw error
    const isLogin = error instanceof ApiError || error.code === 'SECRET_MISSING' || error.code === 'OBJECT_INVALID'
    memory.digest = failed(
      isLogin ? `failed to configure authentication options: ${error.message}` : fetching(error.message),
    )
  }
  memory.failures = memory.digest.kind === 'failed' ? memory.failures + 1 : 0
}

/** One fact a choice, not one a look. */
function report(own: Own, { image, choice, digest }: ImagePolicyStatus, key: string): void {
  if (image === undefined || choice === undefined) return
  const fault = choice.fault
  const cause = fault?.reason === 'Failure' ? explainPolicy(choice) : fault?.message
  const told = JSON.stringify([image, choice.tag, digest, cause])
  const memory = memoryOf(own, key)
  if (memory.reported === told) return
  memory.reported = told
  own.context.report({
    kind: 'policy',
    policy: key,
    image,
    tag: choice.tag ?? '',
    considered: choice.considered,
    ...(digest === undefined ? {} : { digest }),
    ...(cause === undefined ? {} : { cause }),
  })
}

function memoryOf({ memories, context }: Own, key: string): Memory {
  const found = memories.get(key) ?? {
    digest: undefined,
    digestAtMs: 0,
    failures: 0,
    knownSinceMs: context.clock.monotonicMs(),
    reported: '',
    tags: undefined,
  }
  memories.set(key, found)
  return found
}

function repositoryKey(object: KubeObject): string {
  const namespace = readText(object, 'spec', 'imageRepositoryRef', 'namespace') || object.metadata.namespace
  return `${namespace ?? ''}/${readText(object, 'spec', 'imageRepositoryRef', 'name')}`
}
