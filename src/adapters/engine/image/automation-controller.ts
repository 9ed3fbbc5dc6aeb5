import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { BasicStatus } from '../../../controllers/basic-status.ts'
import {
  type AutomationChange,
  type AutomationOutcome,
  type AutomationSeen,
  decideImageUpdateAutomation,
} from '../../../controllers/image-update-automation.ts'
import type { Controller, Wake } from '../../../engine/controller.ts'
import { parseGitRepository } from '../../../kinds/git-repository.ts'
import { type ImagePolicy, type ImageUpdateAutomation, parseImageUpdateAutomation } from '../../../kinds/image.ts'
import { matchesSelector } from '../../../lib/kube/label-selector.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { readText } from '../../../lib/kube/read.ts'
import { resumeCommand } from '../../../pipeline/record/halt.ts'
import type { AbsorbingCache } from '../../kube/types.ts'
import type { EngineContext } from '../context.ts'
import { aliasGitUrl } from '../../git/alias.ts'
import { mirrorsOf } from '../mirrors.ts'
import { keyOf } from '../status-writer.ts'
import { type ObjectIo, objectIo } from './object-io.ts'
import type { PolicyStore } from './policy-controller.ts'
import { unfollowedFact } from './markers-fact.ts'
import { runAutomation } from './run-automation.ts'

type Memory = {
  nextRunMs: number
  failures: number
  lastSeenRevision: string
  /** Of the source, when that run began. */
  sourceGeneration: number
  /** A run that is not in the status yet, with the object that it was for: what was changed meanwhile is for the next one. */
  ran: { readonly automation: ImageUpdateAutomation; readonly outcome: AutomationOutcome } | undefined
  /** What the policies resolved to when that run began. */
  ranWith: AutomationSeen['policies']
}

/** What the controller works with. */
type Own = {
  readonly context: EngineContext
  readonly cache: AbsorbingCache
  readonly sources: AbsorbingCache
  readonly io: ObjectIo
  readonly policies: PolicyStore
  readonly memories: Map<string, Memory>
  /** Hashes of files that are known to hold no marker. */
  readonly withoutMarkers: Set<string>
  readonly loginFolder: string
}

/** The controller of ImageUpdateAutomations: woken by policies and sources, one run at a time for each. */
export function imageUpdateAutomationController(
  context: EngineContext,
  policies: PolicyStore,
): Controller<AutomationSeen, AutomationChange, BasicStatus> {
  const own = open(context, policies)
  const { io } = own
  return {
    kind: 'ImageUpdateAutomation',
    concurrency: 4,
    watch: (wake) => watch(own, wake),
    observe: async (key) => observe(own, key),
    decide: decideImageUpdateAutomation,
    async act(changes, seen, key) {
      for (const change of changes) {
        if (change === 'add finalizer') await io.addFinalizer(seen.automation, key)
        else if (change === 'remove finalizer') await io.removeFinalizer(seen.automation, key)
        else await run(own, seen, key)
      }
    },
    async settle(status, { automation }, key) {
      const memory = memoryOf(own, key)
      if (memory.ran?.outcome.kind === 'failed') memory.nextRunMs = 0
      else if (memory.ran) memory.nextRunMs = context.clock.monotonicMs() + automation.intervalMs * 0.95 - 1
      memory.ran = undefined
      if (automation.isSuspended)
        void context.report(
          unfollowedFact({ automation, policies: selected(own, automation) }, suspendedText(automation)),
        )
      await io.settle(status, automation, key)
    },
    close() {
      own.cache.close()
      own.sources.close()
    },
  }
}

function open(context: EngineContext, policies: PolicyStore): Own {
  const cache = context.caches.open({ apiVersion: 'image.toolkit.fluxcd.io/v1', kind: 'ImageUpdateAutomation' })
  const sources = context.caches.open({ apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository' })
  const loginFolder = join(context.stateDir, 'logins')
  mkdirSync(loginFolder, { recursive: true, mode: 0o700 })
  const io = objectIo(context, cache, 'image-automation-controller')
  return {
    context,
    cache,
    sources,
    io,
    policies,
    memories: new Map(),
    withoutMarkers: new Set(),
    loginFolder,
  }
}

async function watch({ cache, sources, context, policies }: Own, wake: Wake): Promise<void> {
  const wakeUsersOf = (source: string): void => {
    for (const object of cache.list()) if (sourceOf(object) === source) wake.now(keyOf(object))
  }
  cache.onChange((object) => wake.now(keyOf(object)))
  sources.onChange((object) => wakeUsersOf(keyOf(object)))
  context.sources.onChange((key) => wakeUsersOf(key.slice(key.indexOf('/') + 1)))
  policies.onResolved((namespace) => {
    for (const object of cache.list(namespace)) wake.now(keyOf(object))
  })
  await Promise.all([cache.ready, sources.ready])
  for (const object of cache.list()) wake.now(keyOf(object))
}

function observe(own: Own, key: string): AutomationSeen | undefined {
  const { context, io, memories } = own
  const object = io.view.get(key)
  if (!object) {
    if (memories.delete(key)) void context.report({ kind: 'markers', automation: key, choices: [] })
    return undefined
  }
  const memory = memoryOf(own, key)
  const ran = memory.ran?.automation.uid === object.metadata.uid ? memory.ran : undefined
  const automation = ran?.automation ?? parseImageUpdateAutomation(object)
  return {
    automation,
    sourceRevision: revisionOf(own, automation),
    lastSeenRevision: memory.lastSeenRevision,
    isSourceEdited: ![0, generationOf(own, automation)].includes(memory.sourceGeneration),
    policies: resolved(own, automation),
    traps: context.traps,
    crossNamespace: context.crossNamespace,
    nowMs: context.clock.nowMs(),
    random: context.random(),
    dueInMs: memory.nextRunMs - context.clock.monotonicMs(),
    failures: memory.failures,
    ...(ran ? { outcome: ran.outcome, ranWith: memory.ranWith } : {}),
  }
}

async function run(own: Own, { automation, sourceRevision, dueInMs }: AutomationSeen, key: string): Promise<void> {
  const { context, sources, loginFolder, withoutMarkers } = own
  const memory = memoryOf(own, key)
  const object = sources.get(automation.source.namespace, automation.source.name)
  if (!object) return
  const parsed = parseGitRepository(object)
  const source = { ...parsed, url: aliasGitUrl(parsed.url, context.registryAliases) }
  memory.lastSeenRevision = sourceRevision ?? ''
  memory.sourceGeneration = generationOf(own, automation)
  memory.ranWith = resolved(own, automation)
  // The interval is there to notice what nobody told: then the remote itself is asked.
  const isDue = dueInMs <= 0 && memory.nextRunMs > 0
  const { branch = 'master', ...others } = automation.checkoutRef ?? source.ref
  const isPlain = Object.keys(others).length === 0 && Object.keys(source.ref).every((field) => field === 'branch')
  const isHead = isPlain && sourceRevision?.startsWith(`${branch}@sha1:`) === true && !isDue && context.traps === 'safe'
  const outcome = await runAutomation(context, {
    automation,
    source,
    policies: selected(own, automation),
    mirror: mirrorsOf(context).of(source.url, source),
    loginFolder,
    withoutMarkers,
    seen: context.traps === 'flux' && isSame(automation, memory.ranWith) ? observedRevision(automation) : undefined,
    knownHead: isHead ? sourceRevision.slice(sourceRevision.lastIndexOf(':') + 1) : undefined,
  }).catch((error: unknown) => {
    // its backoff brings it back, and it is due then, though the revision is no news any more
    memory.nextRunMs = 0
    throw error
  })
  memory.ran = { automation, outcome }
  memory.failures = outcome.kind === 'failed' ? memory.failures + 1 : 0
  // Flux's source waits for its interval or a webhook.
  if (outcome.kind === 'pushed' && context.traps === 'safe') context.gitChanged(source.url)
}

function suspendedText({ namespace, name }: ImageUpdateAutomation): string {
  const command = resumeCommand('ImageUpdateAutomation', { namespace, name })
  return `ImageUpdateAutomation ${namespace}/${name} is suspended (${command})`
}

/** The policies resolve to what the last run set. */
function isSame({ status }: ImageUpdateAutomation, policies: AutomationSeen['policies']): boolean {
  return isDeepStrictEqual(status['observedPolicies'] ?? {}, policies)
}

function observedRevision({ status }: ImageUpdateAutomation): string | undefined {
  return readText(status, 'observedSourceRevision') || undefined
}

function revisionOf({ context, sources }: Own, { source }: ImageUpdateAutomation): string | undefined {
  const object = sources.get(source.namespace, source.name)
  if (!object) return undefined
  const offered = context.sources.get('GitRepository', source.namespace, source.name)
  return offered?.revision ?? readText(object, 'status', 'artifact', 'revision')
}

function generationOf({ sources }: Own, { source }: ImageUpdateAutomation): number {
  return sources.get(source.namespace, source.name)?.metadata.generation ?? 0
}

function selected({ policies }: Own, { namespace, policySelector }: ImageUpdateAutomation): readonly ImagePolicy[] {
  return policies
    .list(namespace)
    .filter(({ labels }) => policySelector === undefined || matchesSelector(policySelector, labels))
}

function resolved(own: Own, automation: ImageUpdateAutomation): AutomationSeen['policies'] {
  return Object.fromEntries(
    selected(own, automation).flatMap(({ name, latestRef }) => (latestRef ? [[name, latestRef]] : [])),
  )
}

function memoryOf({ memories }: Own, key: string): Memory {
  const found = memories.get(key) ?? {
    nextRunMs: 0,
    failures: 0,
    lastSeenRevision: '',
    sourceGeneration: 0,
    ran: undefined,
    ranWith: {},
  }
  memories.set(key, found)
  return found
}

function sourceOf(object: KubeObject): string {
  const namespace = readText(object, 'spec', 'sourceRef', 'namespace') || object.metadata.namespace
  return `${namespace ?? ''}/${readText(object, 'spec', 'sourceRef', 'name')}`
}
