import type { AbsorbingCache } from '../../../adapters/kube/types.ts'
import type { Controller, Wake } from '../../../engine/controller.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { lookUp, wakeFor } from '../by-key.ts'
import { workloadController } from '../controller.ts'
import { keyOf } from '../meta.ts'
import { isStoppedPod } from '../pods.ts'
import { as, type Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { decideClaim, type ClaimSeen, TELL_EVERY_MS } from './claim.ts'
import { BIND_COMPLETED, type Claim, type StorageClass, usesClaim, type Volume } from './shapes.ts'
import { decideVolume, hasEnded, type VolumeSeen } from './volume.ts'

const COMPONENT = 'persistentvolume-controller'

/** Which version of a claim was looked at, and when. */
type Look = { readonly resourceVersion: string; readonly atMs: number }

/** Binds claims to volumes, one at a time: no volume is given twice. */
export function claimBinder(bench: Bench): Controller<ClaimSeen, Write, readonly Write[]> {
  const claims = bench.cache('v1', 'PersistentVolumeClaim')
  const volumes = bench.cache('v1', 'PersistentVolume')
  const classes = bench.cache('storage.k8s.io/v1', 'StorageClass')
  const pods = bench.cache('v1', 'Pod')
  const lookedAt = new Map<string, Look>()
  const mayTell = (claim: Claim): boolean => {
    const { resourceVersion = '' } = claim.metadata
    const known = lookedAt.get(keyOf(claim))
    const nowMs = bench.clock.monotonicMs()
    if (known?.resourceVersion === resourceVersion && nowMs - known.atMs < TELL_EVERY_MS) return false
    lookedAt.set(keyOf(claim), { resourceVersion, atMs: nowMs })
    return true
  }
  return workloadController<ClaimSeen>(bench, {
    kind: 'PersistentVolumeClaim',
    component: COMPONENT,
    concurrency: 1,
    async watch(wake) {
      await Promise.all([claims, volumes, classes, pods].map(({ ready }) => ready))
      claims.onChange((claim, type) => {
        if (type === 'DELETED') lookedAt.delete(keyOf(claim))
        else wake.now(keyOf(claim))
      })
      volumes.onChange((volume) => wakeClaimsOf(as<Volume>(volume), claims, wake))
      classes.onChange(() => wakeUnbound(claims, wake))
      for (const claim of claims.list()) wake.now(keyOf(claim))
    },
    observe(key) {
      const claim = lookUp<Claim>(claims, key)
      if (!claim) return undefined
      const { namespace, name } = claim.metadata
      return {
        claim,
        volumes: volumes.list().map((volume) => as<Volume>(volume)),
        classes: classes.list().map((each) => as<StorageClass>(each)),
        waiting: isBound(claim)
          ? []
          : pods
              .list(namespace)
              .map((pod) => as<Pod>(pod))
              .filter(waitsFor(name)),
        mayTell: mayTell(claim),
      }
    },
    decide: decideClaim,
  })
}

const isBound = ({ metadata }: Claim): boolean => metadata.annotations?.[BIND_COMPLETED] !== undefined

const waitsFor =
  (claim: string) =>
  (pod: Pod): boolean =>
    !pod.spec.nodeName && !isStoppedPod(pod) && usesClaim(pod, claim)

/** A volume that is free may suit any claim; another one matters to its own. */
function wakeClaimsOf({ spec, status }: Volume, claims: AbsorbingCache, wake: Wake): void {
  const { claimRef } = spec
  if (claimRef !== undefined) wake.now(`${claimRef.namespace}/${claimRef.name}`)
  else if (status?.phase === 'Available') wakeUnbound(claims, wake)
}

function wakeUnbound(claims: AbsorbingCache, wake: Wake): void {
  for (const claim of claims.list()) if (!isBound(as<Claim>(claim))) wake.now(keyOf(claim))
}

/** Gives volumes their phase. */
export function volumeBinder(bench: Bench): Controller<VolumeSeen, Write, readonly Write[]> {
  const claims = bench.cache('v1', 'PersistentVolumeClaim')
  const volumes = bench.cache('v1', 'PersistentVolume')
  return workloadController<VolumeSeen>(bench, {
    kind: 'PersistentVolume',
    component: COMPONENT,
    async watch(wake) {
      await Promise.all([claims.ready, volumes.ready])
      claims.onChange((claim, type) => {
        const { volumeName } = as<Claim>(claim).spec
        if (volumeName) wake.now(volumeName)
        if (type !== 'MODIFIED') for (const volume of reservedFor(claim, volumes)) wake.now(volume.metadata.name)
      })
      wakeFor(volumes, wake.now)
    },
    async observe(name) {
      const volume = lookUp<Volume>(volumes, name)
      if (!volume) return undefined
      const claim = await claimOf(bench, claims, volume)
      return { volume, claim: claim && as<Claim>(claim) }
    },
    decide: decideVolume,
  })
}

/**
 * The claim that a volume names. Claims and volumes come by two watches: before a volume counts as left, and its data may be deleted, the server
 * is asked.
 */
async function claimOf({ client }: Bench, claims: AbsorbingCache, volume: Volume): Promise<KubeObject | undefined> {
  const { namespace = '', name = '', uid = '' } = volume.spec.claimRef ?? {}
  if (uid === '') return undefined
  const known = claims.get(namespace, name)
  if (known === undefined ? hasEnded(volume) : known.metadata.uid === uid) return known
  return client.get({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name })
}

/** The volumes that name the claim, which need not know of them: one that goes or comes anew leaves them. */
function reservedFor({ metadata: { namespace, name } }: KubeObject, volumes: AbsorbingCache): readonly KubeObject[] {
  return volumes.list().filter((volume) => {
    const { claimRef } = as<Volume>(volume).spec
    return claimRef?.name === name && claimRef.namespace === namespace
  })
}
