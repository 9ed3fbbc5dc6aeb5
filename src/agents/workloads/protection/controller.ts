import type { Controller } from '../../../engine/controller.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { lookUp, wakeFor } from '../by-key.ts'
import { workloadController } from '../controller.ts'
import { indexBy, type NameIndex } from '../index-by.ts'
import { as, type Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { claimsOfPod } from '../volumes/shapes.ts'
import { decideClaim, decideClass, decideVolume, letClaimGo } from './decide.ts'

type ClaimSeen = { readonly claim: KubeObject; readonly pods: readonly Pod[] }

/** Guards claims, and lets those go that are being deleted, when the last pod that uses them is gone. */
export function claimProtection(bench: Bench): Controller<ClaimSeen, Write, readonly Write[]> {
  const claims = bench.cache('v1', 'PersistentVolumeClaim')
  const pods = bench.cache('v1', 'Pod')
  let usersOf: NameIndex = () => []
  return workloadController<ClaimSeen>(bench, {
    kind: 'PersistentVolumeClaim',
    component: 'pvc-protection-controller',
    async watch(wake) {
      await Promise.all([claims.ready, pods.ready])
      usersOf = indexBy(pods, claimKeysOf)
      pods.onChange((pod) => {
        for (const claim of claimKeysOf(pod)) wake.now(claim)
      })
      wakeFor(claims, wake.now)
    },
    async observe(key) {
      const claim = lookUp(claims, key)
      if (!claim) return undefined
      const users = usersOf(key).map((pod) => as<Pod>(pod))
      if (letClaimGo(claim, users).length === 0) return { claim, pods: users }
      // a pod that the watch has not brought yet may use it: before it goes, the server is asked
      const { namespace = '' } = claim.metadata
      const { items } = await bench.client.list({ apiVersion: 'v1', kind: 'Pod', namespace })
      return { claim, pods: items.map((pod) => as<Pod>(pod)) }
    },
    decide: ({ claim, pods: users }) => decideClaim(claim, users, bench.clock.nowMs()),
  })
}

const claimKeysOf = (pod: KubeObject): string[] =>
  claimsOfPod(as<Pod>(pod)).map(({ name }) => `${pod.metadata.namespace ?? ''}/${name}`)

/** Guards volumes, and lets those go that are being deleted and that no claim is bound to. */
export function volumeProtection(bench: Bench): Controller<KubeObject, Write, readonly Write[]> {
  const volumes = bench.cache('v1', 'PersistentVolume')
  return workloadController<KubeObject>(bench, {
    kind: 'PersistentVolume',
    component: 'pv-protection-controller',
    async watch(wake) {
      await volumes.ready
      wakeFor(volumes, wake.now)
    },
    observe: (name) => volumes.get('', name),
    decide: decideVolume,
  })
}

type ClassSeen = { readonly named: KubeObject; readonly users: readonly KubeObject[] }

/** Guards classes of attributes, and lets those go that are being deleted and that nothing names. */
export function classProtection(bench: Bench): Controller<ClassSeen, Write, readonly Write[]> {
  const classes = bench.cache('storage.k8s.io/v1', 'VolumeAttributesClass')
  const users = [bench.cache('v1', 'PersistentVolumeClaim'), bench.cache('v1', 'PersistentVolume')]
  return workloadController<ClassSeen>(bench, {
    kind: 'VolumeAttributesClass',
    component: 'vac-protection-controller',
    async watch(wake) {
      await Promise.all([classes, ...users].map(({ ready }) => ready))
      const wakeLeaving = (): void => {
        for (const { metadata } of classes.list()) if (metadata.deletionTimestamp) wake.now(metadata.name)
      }
      for (const cache of users) cache.onChange(wakeLeaving)
      wakeFor(classes, wake.now)
    },
    observe(name) {
      const named = classes.get('', name)
      return named && { named, users: users.flatMap((cache) => cache.list()) }
    },
    decide: ({ named, users: all }) => decideClass(named, all),
  })
}
