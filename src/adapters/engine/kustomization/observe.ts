import { isDeepStrictEqual } from 'node:util'
import { findCycle, type DependencyState } from '../../../controllers/depends-on.ts'
import type { KustomizationSeen, SourceState } from '../../../controllers/kustomization.ts'
import type { Kustomization } from '../../../kinds/kustomization.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { readList } from '../../../lib/kube/read.ts'
import type { KustomizationTools, Memory } from './memory.ts'
import { evaluateReadyExpr } from './ready-expr.ts'
import { refusalOf } from './refusal.ts'

/** Most changes are healthy sooner: they cost one status write. */
const HEALTH_GRACE_MS = 2_000

/** Gathers all that the decision about a Kustomization needs; everything comes from memory and watches. */
export function seeKustomization(
  tools: KustomizationTools,
  key: string,
  kustomization: Kustomization,
): KustomizationSeen {
  const { context } = tools
  const memory = tools.memoryOf(key)
  const source = sourceOf(tools, kustomization)
  const refusal = refusalOf(kustomization, context)
  const cycle = context.traps === 'safe' ? cycleOf(tools, key) : undefined
  return {
    kustomization,
    nowMs: context.clock.nowMs(),
    monotonicMs: context.clock.monotonicMs(),
    dependencyRetryMs: context.flags.requeueDependencyMs,
    random: context.random(),
    terminationLookInMs: memory.terminationLookMs - context.clock.monotonicMs(),
    dueInMs: dueInMs(tools, memory, kustomization, source),
    source,
    dependencies: kustomization.dependsOn.map(({ namespace, name, readyExpr }) =>
      dependencyOf(tools, key, `${namespace}/${name}`, readyExpr),
    ),
    isBlockNews: isBlockNews(tools, memory, kustomization, source),
    ...(cycle ? { cycle } : {}),
    ...(refusal ? { refusal } : {}),
    ...(memory.attempt ? { attempt: memory.attempt } : {}),
    healthGraceMs: context.traps === 'flux' ? 0 : HEALTH_GRACE_MS,
    health: memory.healthWatch?.check() ?? [],
  }
}

const SOURCE_GRACE_MS = 5_000

function sourceOf(tools: KustomizationTools, kustomization: Kustomization): SourceState {
  const { context, findSource } = tools
  const { kind, namespace, name } = kustomization.sourceRef
  const object = findSource(kind, namespace, name)
  if (!object) return { kind: 'missing', message: `${kind}.source.toolkit.fluxcd.io "${name}" not found` }
  const snapshot = context.sources.get(kind, namespace, name)
  const isDeaf = context.traps === 'flux' && sourceHasCycle(tools, kustomization)
  return snapshot
    ? {
        kind: 'ready',
        revision: snapshot.revision,
        digest: digestFor(context.traps, snapshot),
        ...(snapshot.originRevision === undefined ? {} : { originRevision: snapshot.originRevision }),
      }
    : { kind: 'no artifact', graceMs: isDeaf ? 0 : graceOf(object, context.clock.nowMs()) }
}

/** A source that has just been made and has said nothing yet is about to: its silence is not worth a status. */
function graceOf(source: KubeObject, nowMs: number): number {
  const { creationTimestamp } = source.metadata
  if (readList(source, 'status', 'conditions').length > 0 || !creationTimestamp) return 0
  const leftMs = Date.parse(creationTimestamp) + SOURCE_GRACE_MS - nowMs
  return Math.min(leftMs, SOURCE_GRACE_MS)
}

/** Flux compares revisions only; safe, a changed `ignore` or include counts, too. */
function digestFor(
  traps: 'safe' | 'flux',
  { revision, digest }: { readonly revision: string; readonly digest: string },
): string {
  return traps === 'flux' ? revision : digest
}

function dueInMs(tools: KustomizationTools, memory: Memory, kustomization: Kustomization, source: SourceState): number {
  const { generation, requestedAt } = kustomization
  if (generation !== memory.handledGeneration) return 0
  if (requestedAt !== undefined && requestedAt !== memory.handledRequest) return 0
  const leftMs = memory.nextMs - tools.context.clock.monotonicMs()
  if (source.kind !== 'ready') return tools.context.traps === 'flux' ? leftMs : 0
  const isNew = source.revision !== memory.handledRevision || source.digest !== memory.handledDigest
  if (isNew && !(tools.context.traps === 'flux' && sourceHasCycle(tools, kustomization))) return 0
  return leftMs
}

/** Names what was asked of a Kustomization: its spec, and a request. */
export function askOf({ generation, requestedAt }: Kustomization): string {
  return `${generation} ${requestedAt ?? ''}`
}

/** Told once a revision, and in Flux for every change of the object and at every retry; in Flux not again for those behind a cycle, which never hear of a new revision. */
function isBlockNews(
  tools: KustomizationTools,
  memory: Memory,
  kustomization: Kustomization,
  source: SourceState,
): boolean {
  if (source.kind !== 'ready') return false
  const { traps, clock, flags } = tools.context
  if (traps === 'flux' && memory.toldBlockedFor !== askOf(kustomization)) return true
  if (traps === 'flux' && clock.monotonicMs() - memory.toldBlockedMs >= flags.requeueDependencyMs) return true
  if (memory.toldBlockedAt === source.revision) return false
  return memory.toldBlockedAt === '' || !(traps === 'flux' && sourceHasCycle(tools, kustomization))
}

function dependencyOf(
  tools: KustomizationTools,
  selfKey: string,
  key: string,
  readyExpr: string | undefined,
): DependencyState {
  const kustomization = tools.find(key)
  const self = tools.view.get(selfKey)
  const dependency = tools.view.get(key)
  if (readyExpr === undefined || !kustomization || !self || !dependency) return { key, kustomization }
  return { key, kustomization, expression: evaluateReadyExpr(readyExpr, self, dependency) }
}

function cycleOf({ find }: KustomizationTools, key: string): readonly string[] | undefined {
  return findCycle(key, (at) => find(at)?.dependsOn.map(({ namespace, name }) => `${namespace}/${name}`) ?? [])
}

/** In Flux a cycle anywhere among the users of a source stops its news for all of them; only then is this asked. */
function sourceHasCycle(tools: KustomizationTools, { sourceRef }: Kustomization): boolean {
  const uses = (key: string): boolean => isDeepStrictEqual(tools.find(key)?.sourceRef, sourceRef)
  return tools.depending().some((key) => uses(key) && cycleOf(tools, key) !== undefined)
}
