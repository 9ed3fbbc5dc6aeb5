import {
  decideImagePolicy,
  type DigestOutcome,
  type ImagePolicyChange,
  type ImagePolicySeen,
  type ImagePolicyStatus,
  type PolicyRepository,
} from '../../../controllers/image-policy.ts'
import type { Controller, Wake } from '../../../engine/controller.ts'
import { type ImagePolicy, parseImagePolicy, parseImageRepository, selects } from '../../../kinds/image.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { read, readText } from '../../../lib/kube/read.ts'
import { parseRepository } from '../../../lib/oci/reference.ts'
import { ApiError } from '../../kube/api-error.ts'
import type { EngineContext } from '../context.ts'
import { keyOf } from '../status-writer.ts'
import { objectIo } from './object-io.ts'
import type { Registries } from './scan.ts'
import type { TagStore } from './tag-store.ts'

type Memory = { digest: DigestOutcome | undefined; digestAtMs: number; failures: number; reported: string }

/** What policies resolve to, for automations: known here before the API server has it. */
export type PolicyStore = {
  readonly onResolved: (handler: (namespace: string) => void) => void
  readonly list: (namespace: string) => readonly ImagePolicy[]
}

/** The controller of ImagePolicies: woken by scans, decides purely, asks the registry only for digests. */
export function imagePolicyController(
  context: EngineContext,
  tags: TagStore,
  registries: Registries,
): {
  readonly controller: Controller<ImagePolicySeen, ImagePolicyChange, ImagePolicyStatus>
  readonly store: PolicyStore
} {
  const { clock, caches } = context
  const cache = caches.open({ apiVersion: 'image.toolkit.fluxcd.io/v1', kind: 'ImagePolicy' })
  const repositories = caches.open({ apiVersion: 'image.toolkit.fluxcd.io/v1', kind: 'ImageRepository' })
  const io = objectIo(context, cache, 'image-reflector-controller')
  const memories = new Map<string, Memory>()
  const handlers: ((namespace: string) => void)[] = []
  const memoryOf = (key: string): Memory => {
    const found = memories.get(key) ?? { digest: undefined, digestAtMs: 0, failures: 0, reported: '' }
    memories.set(key, found)
    return found
  }
  const wakeUsers = (repository: string, wake: Wake): void => {
    for (const object of cache.list()) if (repositoryKey(object) === repository) wake.now(keyOf(object))
  }
  const controller: Controller<ImagePolicySeen, ImagePolicyChange, ImagePolicyStatus> = {
    kind: 'ImagePolicy',
    concurrency: 20,
    async watch(wake) {
      cache.onChange((object) => wake.now(keyOf(object)))
      repositories.onChange((object, type) => {
        if (type !== 'MODIFIED') wakeUsers(keyOf(object), wake)
      })
      tags.onChange((key) => wakeUsers(key, wake))
      await Promise.all([cache.ready, repositories.ready])
      for (const object of cache.list()) wake.now(keyOf(object))
    },
    async observe(key) {
      const object = io.view.get(key)
      if (!object) return void memories.delete(key)
      const policy = parseImagePolicy(object)
      const memory = memoryOf(key)
      const intervalMs = policy.intervalMs ?? 60_000
      return {
        policy,
        repository: await repositoryOf(policy),
        traps: context.traps,
        nowMs: clock.nowMs(),
        failures: memory.failures,
        digestDueInMs: memory.digestAtMs + intervalMs - clock.nowMs(),
        ...(memory.digest ? { digest: memory.digest } : {}),
      }
    },
    decide: decideImagePolicy,
    async act(changes, { policy }, key) {
      for (const change of changes) {
        if (change.kind === 'add finalizer') await io.addFinalizer(policy, key)
        else if (change.kind === 'remove finalizer') await io.removeFinalizer(policy, key)
        else if (change.kind === 'look up digest') await lookUpDigest(policy, change.tag, key)
      }
    },
    async settle(status, { policy }, key) {
      memoryOf(key).digest = undefined
      report(status, key)
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

  async function repositoryOf({ namespace, repository }: ImagePolicy): Promise<PolicyRepository> {
    const object = repositories.get(repository.namespace, repository.name)
    if (!object) return { kind: 'missing' }
    if (repository.namespace !== namespace && !(await mayUse(object, namespace))) return { kind: 'forbidden' }
    const known = tags.get(keyOf(object))
    if (known) return { kind: 'scanned', ...known }
    return { kind: 'unscanned', wasScanned: read(object, 'status', 'lastScanResult') !== undefined }
  }

  async function mayUse(repository: KubeObject, namespace: string): Promise<boolean> {
    const { accessFrom } = parseImageRepository(repository)
    if (accessFrom.length === 0) return false
    const object = await context.client.get({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace })
    return accessFrom.some((selector) => selects(selector, object?.metadata.labels ?? {}))
  }

  async function lookUpDigest(policy: ImagePolicy, tag: string, key: string): Promise<void> {
    const memory = memoryOf(key)
    memory.digestAtMs = clock.nowMs()
    const object = repositories.get(policy.repository.namespace, policy.repository.name)
    const repository = object && parseImageRepository(object)
    const target = repository && parseRepository(repository.image)
    if (!repository || !target) return
    try {
      const client = await registries.clientFor(repository)
      const found = await client.headManifest(target, tag, { signal: AbortSignal.timeout(repository.timeoutMs) })
      memory.digest = found
        ? { kind: 'known', tag, digest: found.digest }
        : {
            kind: 'failed',
            tag,
            message: `failed fetching descriptor for ${repository.image}:${tag}: manifest unknown`,
          }
    } catch (error) {
      if (!(error instanceof SluiceError) && !(error instanceof ApiError)) throw error
      memory.digest = {
        kind: 'failed',
        tag,
        message: `failed fetching descriptor for ${repository.image}:${tag}: ${error.message}`,
      }
    }
    memory.failures = memory.digest.kind === 'failed' ? memory.failures + 1 : 0
  }

  /** One fact a choice, not one a look. */
  function report({ image, choice, digest }: ImagePolicyStatus, key: string): void {
    if (image === undefined || choice === undefined) return
    const cause = choice.fault?.message
    const told = JSON.stringify([image, choice.tag, digest, cause])
    const memory = memoryOf(key)
    if (memory.reported === told) return
    memory.reported = told
    context.report({
      kind: 'policy',
      policy: key,
      image,
      tag: choice.tag ?? '',
      considered: choice.considered,
      ...(digest === undefined ? {} : { digest }),
      ...(cause === undefined ? {} : { cause }),
    })
  }
}

function repositoryKey(object: KubeObject): string {
  const namespace = readText(object, 'spec', 'imageRepositoryRef', 'namespace') || object.metadata.namespace
  return `${namespace ?? ''}/${readText(object, 'spec', 'imageRepositoryRef', 'name')}`
}
