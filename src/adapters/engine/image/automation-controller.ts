import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ImageStatus } from '../../../controllers/image-status.ts'
import {
  type AutomationChange,
  type AutomationOutcome,
  type AutomationSeen,
  decideImageUpdateAutomation,
} from '../../../controllers/image-update-automation.ts'
import type { Controller, Wake } from '../../../engine/controller.ts'
import { parseGitRepository } from '../../../kinds/git-repository.ts'
import {
  type ImagePolicy,
  type ImageUpdateAutomation,
  parseImageUpdateAutomation,
  selects,
} from '../../../kinds/image.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { readText } from '../../../lib/kube/read.ts'
import { type Mirror, openMirror } from '../../git/mirror.ts'
import type { EngineContext } from '../context.ts'
import { keyOf } from '../status-writer.ts'
import { objectIo } from './object-io.ts'
import type { PolicyStore } from './policy-controller.ts'
import { runAutomation } from './run-automation.ts'

type Memory = { nextRunMs: number; failures: number; lastSeenRevision: string; outcome: AutomationOutcome | undefined }

/** The controller of ImageUpdateAutomations: woken by policies and sources, one run at a time for each. */
export function imageUpdateAutomationController(
  context: EngineContext,
  policies: PolicyStore,
): Controller<AutomationSeen, AutomationChange, ImageStatus> {
  const { clock, caches, stateDir } = context
  const cache = caches.open({ apiVersion: 'image.toolkit.fluxcd.io/v1', kind: 'ImageUpdateAutomation' })
  const sources = caches.open({ apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository' })
  const io = objectIo(context, cache, 'image-automation-controller')
  const memories = new Map<string, Memory>()
  const mirrors = new Map<string, Mirror>()
  const withoutMarkers = new Set<string>()
  const loginFolder = join(stateDir, 'logins')
  mkdirSync(loginFolder, { recursive: true, mode: 0o700 })
  mkdirSync(join(stateDir, 'mirrors'), { recursive: true })
  const memoryOf = (key: string): Memory => {
    const found = memories.get(key) ?? { nextRunMs: 0, failures: 0, lastSeenRevision: '', outcome: undefined }
    memories.set(key, found)
    return found
  }
  const wakeUsersOf = (source: string, wake: Wake): void => {
    for (const object of cache.list()) if (sourceOf(object) === source) wake.now(keyOf(object))
  }
  return {
    kind: 'ImageUpdateAutomation',
    concurrency: 4,
    async watch(wake) {
      cache.onChange((object) => wake.now(keyOf(object)))
      sources.onChange((object) => wakeUsersOf(keyOf(object), wake))
      context.sources.onChange((key) => wakeUsersOf(key.slice(key.indexOf('/') + 1), wake))
      policies.onResolved((namespace) => {
        for (const object of cache.list(namespace)) wake.now(keyOf(object))
      })
      await Promise.all([cache.ready, sources.ready])
      for (const object of cache.list()) wake.now(keyOf(object))
    },
    async observe(key) {
      const object = io.view.get(key)
      if (!object) return void memories.delete(key)
      const automation = parseImageUpdateAutomation(object)
      const memory = memoryOf(key)
      return {
        automation,
        sourceRevision: revisionOf(automation),
        lastSeenRevision: memory.lastSeenRevision,
        policies: resolved(automation),
        traps: context.traps,
        nowMs: clock.nowMs(),
        random: context.random(),
        dueInMs: memory.nextRunMs - clock.nowMs(),
        failures: memory.failures,
        ...(memory.outcome ? { outcome: memory.outcome } : {}),
      }
    },
    decide: decideImageUpdateAutomation,
    async act(changes, seen, key) {
      for (const change of changes) {
        if (change === 'add finalizer') await io.addFinalizer(seen.automation, key)
        else if (change === 'remove finalizer') await io.removeFinalizer(seen.automation, key)
        else await run(seen, key)
      }
    },
    async settle(status, seen, key) {
      const memory = memoryOf(key)
      if (memory.outcome?.kind === 'failed') memory.nextRunMs = 0
      else if (memory.outcome) memory.nextRunMs = clock.nowMs() + seen.automation.intervalMs * 0.95 - 1
      memory.outcome = undefined
      await io.settle(status, seen.automation, key)
    },
    close() {
      cache.close()
      sources.close()
      for (const mirror of mirrors.values()) mirror.close()
    },
  }

  async function run({ automation, sourceRevision, dueInMs }: AutomationSeen, key: string): Promise<void> {
    const memory = memoryOf(key)
    const object = sources.get(automation.source.namespace, automation.source.name)
    if (!object) return
    const source = parseGitRepository(object)
    memory.lastSeenRevision = sourceRevision ?? ''
    // The interval is there to notice what nobody told: then the remote itself is asked.
    const isDue = dueInMs <= 0 && memory.nextRunMs > 0
    const branch = automation.checkoutBranch ?? source.ref.branch ?? 'master'
    const isHead = sourceRevision?.startsWith(`${branch}@sha1:`) === true && !isDue
    const outcome = await runAutomation(context, {
      automation,
      source,
      policies: selected(automation),
      mirror: mirrorOf(source.url),
      loginFolder,
      withoutMarkers,
      knownHead: isHead ? sourceRevision.slice(sourceRevision.lastIndexOf(':') + 1) : undefined,
    })
    memory.outcome = outcome
    memory.failures = outcome.kind === 'failed' ? memory.failures + 1 : 0
    // Flux's source waits for its interval or a webhook.
    if (outcome.kind === 'pushed' && context.traps === 'safe') context.gitChanged(source.url)
  }

  function mirrorOf(url: string): Mirror {
    const found = mirrors.get(url) ?? openMirror(join(stateDir, 'mirrors'), url)
    mirrors.set(url, found)
    return found
  }

  function revisionOf({ source }: ImageUpdateAutomation): string | undefined {
    const object = sources.get(source.namespace, source.name)
    if (!object) return undefined
    const offered = context.sources.get('GitRepository', source.namespace, source.name)
    return offered?.revision ?? readText(object, 'status', 'artifact', 'revision')
  }

  function selected({ namespace, policySelector }: ImageUpdateAutomation): readonly ImagePolicy[] {
    return policies
      .list(namespace)
      .filter(({ labels }) => policySelector === undefined || selects(policySelector, labels))
  }

  function resolved(automation: ImageUpdateAutomation): AutomationSeen['policies'] {
    return Object.fromEntries(
      selected(automation).flatMap(({ name, latestRef }) => (latestRef ? [[name, latestRef]] : [])),
    )
  }
}

function sourceOf(object: KubeObject): string {
  const namespace = readText(object, 'spec', 'sourceRef', 'namespace') || object.metadata.namespace
  return `${namespace ?? ''}/${readText(object, 'spec', 'sourceRef', 'name')}`
}
