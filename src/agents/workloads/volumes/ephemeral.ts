import type { Controller } from '../../../engine/controller.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { lookUp } from '../by-key.ts'
import { workloadController } from '../controller.ts'
import type { WorkloadDecision } from '../decision.ts'
import { indexBy } from '../index-by.ts'
import { controlledBy, controllerOf, keyOf } from '../meta.ts'
import { as, type ClaimTemplate, type Pod } from '../shapes.ts'
import type { Write } from '../write.ts'

/** A pod, and the claims that have the names of those made for it. */
export type PodSeen = { readonly pod: Pod; readonly claims: ReadonlyMap<string, KubeObject> }

/** Makes the claims of pods that bring them along. */
export function ephemeralVolumes(bench: Bench): Controller<PodSeen, Write, readonly Write[]> {
  const pods = bench.cache('v1', 'Pod')
  const claims = bench.cache('v1', 'PersistentVolumeClaim')
  return workloadController<PodSeen>(bench, {
    kind: 'Pod',
    component: 'ephemeral_volume',
    async watch(wake) {
      await Promise.all([pods.ready, claims.ready])
      const bringing = indexBy(pods, (pod) =>
        templatesOf(as<Pod>(pod)).map(({ name }) => `${pod.metadata.namespace}/${name}`),
      )
      pods.onChange((pod) => {
        if (templatesOf(as<Pod>(pod)).length > 0) wake.now(keyOf(pod))
      })
      // whoever had the name: one of somebody else was in the way
      claims.onChange((claim, type) => {
        if (type === 'DELETED') for (const pod of bringing(keyOf(claim))) wake.now(keyOf(pod))
      })
      for (const pod of pods.list()) if (templatesOf(as<Pod>(pod)).length > 0) wake.now(keyOf(pod))
    },
    observe(key) {
      const pod = lookUp<Pod>(pods, key)
      if (!pod) return undefined
      const { namespace = '' } = pod.metadata
      const found = templatesOf(pod)
        .map(({ name }) => claims.get(namespace, name))
        .filter((claim) => claim !== undefined)
      return { pod, claims: new Map(found.map((claim) => [claim.metadata.name, claim])) }
    },
    decide: decideEphemeral,
  })
}

/** Pure. The claims that a pod still lacks; a foreign one of that name is told, and ends the work. */
export function decideEphemeral({ pod, claims }: PodSeen): WorkloadDecision {
  if (pod.metadata.deletionTimestamp !== undefined) return { kind: 'done', status: [] }
  const writes: Write[] = []
  for (const { name, volume, template } of templatesOf(pod)) {
    const there = claims.get(name)
    if (there === undefined) writes.push({ do: 'create', object: claimFrom(pod, name, template) })
    else if (controllerOf(there)?.uid !== pod.metadata.uid) {
      writes.push({ do: 'tell', tell: foreign(pod, name, volume) })
      break
    }
  }
  return { kind: 'done', status: writes }
}

function templatesOf({ metadata, spec }: Pod): { name: string; volume: string; template: ClaimTemplate }[] {
  return (spec.volumes ?? []).flatMap(({ name: volume, ephemeral }) => {
    const template = ephemeral?.volumeClaimTemplate
    return template === undefined ? [] : [{ name: `${metadata.name}-${volume}`, volume, template }]
  })
}

function claimFrom(pod: Pod, name: string, { metadata, spec }: ClaimTemplate): KubeObject {
  const { annotations, labels } = metadata ?? {}
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name,
      namespace: pod.metadata.namespace ?? '',
      ...(annotations && { annotations }),
      ...(labels && { labels }),
      ownerReferences: [controlledBy({ ...pod, apiVersion: 'v1', kind: 'Pod' })],
    },
    spec,
  }
}

function foreign(pod: Pod, claim: string, volume: string): Extract<Write, { do: 'tell' }>['tell'] {
  const { namespace, name } = pod.metadata
  const why = `PVC ${namespace}/${claim} was not created for pod ${namespace}/${name} (pod is not owner)`
  return { about: pod, type: 'Warning', reason: 'FailedBinding', message: `ephemeral volume ${volume}: ${why}` }
}
