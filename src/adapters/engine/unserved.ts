import { fillConditions, kubeTime } from '../../kinds/conditions.ts'
import { parseFluxMeta } from '../../kinds/flux-object.ts'
import { decideUnserved, NOT_SUPPORTED, type UnservedSeen } from '../../controllers/unserved.ts'
import type { Controller } from '../../engine/controller.ts'
import { read, readText } from '../../lib/kube/read.ts'
import type { EngineContext, EnginePart } from './context.ts'
import { keyOf, overlayView, writeStatus } from './status-writer.ts'

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
): Controller<UnservedSeen, never, string> {
  const cache = context.caches.open({ apiVersion, kind })
  const view = overlayView(cache.get)
  const firstSeenMs = new Map<string, number>()
  return {
    kind,
    concurrency: 2,
    async watch(wake) {
      cache.onChange((object) => wake.now(keyOf(object)))
      await cache.ready
    },
    async observe(key) {
      const object = view.get(key)
      if (!object) {
        firstSeenMs.delete(key)
        return undefined
      }
      const nowMs = context.clock.nowMs()
      const sinceMs = firstSeenMs.get(key) ?? nowMs
      firstSeenMs.set(key, sinceMs)
      const isStatic = kind === 'HelmRepository' && readText(object, 'spec', 'type') === 'oci'
      return { object: parseFluxMeta(object), knownForMs: nowMs - sinceMs, isStatic }
    },
    decide: decideUnserved,
    act: async () => undefined,
    async settle(message, _seen, key) {
      const object = view.get(key)
      if (!object || message === '') return
      const { conditions, generation } = parseFluxMeta(object)
      const said = { reason: NOT_SUPPORTED, message }
      const wishes = [
        { type: 'Stalled', status: 'True', ...said } as const,
        { type: 'Ready', status: 'False', ...said } as const,
      ]
      const status = {
        ...((read(object, 'status') ?? {}) as Record<string, unknown>),
        conditions: fillConditions(conditions, wishes, generation, kubeTime(context.clock.nowMs())),
        observedGeneration: generation,
      }
      const written = await writeStatus(context.client, object, status, 'sluice')
      if (written) view.put(key, written)
    },
    close: () => cache.close(),
  }
}
