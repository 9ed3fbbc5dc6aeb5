import { fillConditions, kubeTime } from '../../kinds/conditions.ts'
import { FINALIZER, handledRequest, parseFluxMeta } from '../../kinds/flux-object.ts'
import { readAnnotationRequest } from '../../kinds/requests.ts'
import { decideUnserved, NOT_SUPPORTED, type UnservedChange, type UnservedSeen } from '../../controllers/unserved.ts'
import type { Controller } from '../../engine/controller.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { read, readText } from '../../lib/kube/read.ts'
import { runsInCluster } from './beside-flux.ts'
import type { EngineContext, EnginePart } from './context.ts'
import { keyOf, overlayView, writeFinalizers, writeStatus } from './status-writer.ts'

/**
 * Kinds of Flux that this version does not serve: [apiVersion, kind]. Their objects are told so, never left in silence; where Flux's own
 * helm-controller or source-controller serves them beside us they are left to it.
 */
const UNSERVED: readonly (readonly [string, string])[] = [
  ['source.toolkit.fluxcd.io/v1', 'HelmRepository'],
  ['source.toolkit.fluxcd.io/v1', 'HelmChart'],
  ['helm.toolkit.fluxcd.io/v2', 'HelmRelease'],
]

/** Starts a controller for each unserved kind that the server has. */
export const unservedPart: EnginePart = async (context, { start }) => {
  for (const [apiVersion, kind] of UNSERVED)
    if (await context.client.resource(apiVersion, kind)) await start(unservedController(context, apiVersion, kind))
}

function unservedController(
  context: EngineContext,
  apiVersion: string,
  kind: string,
): Controller<UnservedSeen, UnservedChange, string> {
  const cache = context.caches.open({ apiVersion, kind })
  const view = overlayView(cache.get)
  const firstSeenMs = new Map<string, number>()
  const server = kind === 'HelmRelease' ? 'helm-controller' : 'source-controller'
  return {
    kind,
    concurrency: 2,
    async watch(wake) {
      cache.onChange((object) => wake.now(keyOf(object)))
      await cache.ready
    },
    async observe(key) {
      const found = view.get(key)
      if (!found) {
        firstSeenMs.delete(key)
        return undefined
      }
      const nowMs = context.clock.monotonicMs()
      const sinceMs = firstSeenMs.get(key) ?? nowMs
      firstSeenMs.set(key, sinceMs)
      const object = parseFluxMeta(found)
      const isHeld = object.isDeleting && object.finalizers.includes(FINALIZER)
      return {
        object,
        knownForMs: nowMs - sinceMs,
        isStatic: kind === 'HelmRepository' && readText(found, 'spec', 'type') === 'oci',
        isServerRunning: isHeld && (await runsInCluster(context.client, server)),
      }
    },
    decide: decideUnserved,
    async act(_changes, { object }, key) {
      const found = view.get(key)
      if (!found) return
      const others = object.finalizers.filter((name) => name !== FINALIZER)
      const written = await writeFinalizers(context.client, found, others, MANAGER)
      if (written) view.put(key, written)
      else view.drop(key)
    },
    async settle(message, { object }, key) {
      const found = view.get(key)
      if (!found || message === '') return
      if (object.isDeleting) return tellLeft(context, found, message)
      const written = await sayUnserved(context, found, message)
      if (written) view.put(key, written)
    },
    close: () => cache.close(),
  }
}

const MANAGER = 'sluice'

function tellLeft(context: EngineContext, object: KubeObject, message: string): void {
  tellOf(context, object, `${object.kind}/${object.metadata.namespace}/${object.metadata.name} ${message}`)
}

function tellOf({ tell, clock }: EngineContext, object: KubeObject, message: string): void {
  const { apiVersion, kind, namespace, name, uid, resourceVersion } = parseFluxMeta(object)
  tell({
    object: { apiVersion, kind, namespace, name, uid, resourceVersion },
    severity: 'error',
    reason: NOT_SUPPORTED,
    message,
    annotations: {},
    controller: 'helm-controller',
    atMs: clock.nowMs(),
  })
}

function sayUnserved(context: EngineContext, object: KubeObject, message: string): Promise<KubeObject | undefined> {
  const { conditions, generation } = parseFluxMeta(object)
  const said = { reason: NOT_SUPPORTED, message }
  const wishes = [
    { type: 'Stalled', status: 'True', ...said } as const,
    { type: 'Ready', status: 'False', ...said } as const,
  ]
  const status = {
    ...((read(object, 'status') ?? {}) as Record<string, unknown>),
    ...handledRequests(context, object),
    conditions: fillConditions(conditions, wishes, generation, kubeTime(context.clock.nowMs())),
    observedGeneration: generation,
  }
  return writeStatus(context.client, object, status, MANAGER)
}

/** By the annotation that asks for more than a look: the field that notes it. */
const REQUESTS = { forceAt: 'lastHandledForceAt', resetAt: 'lastHandledResetAt' } as const

/** What is noted as handled: `flux reconcile` waits for it. That nothing came of a forced upgrade is told where it was asked for. */
function handledRequests(context: EngineContext, object: KubeObject): Readonly<Record<string, string | undefined>> {
  const meta = parseFluxMeta(object)
  const handled: Record<string, string | undefined> = { ...handledRequest(meta) }
  for (const [name, field] of Object.entries(REQUESTS)) {
    const annotation = `reconcile.fluxcd.io/${name}`
    const request = readAnnotationRequest(meta, meta.annotations[annotation], readText(object, 'status', field))
    if (request.lastHandled !== '') handled[field] = request.lastHandled
    if (request.isAsked) tellOf(context, object, `${annotation} asks for what is not supported: nothing was done`)
  }
  return handled
}
