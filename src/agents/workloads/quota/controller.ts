import type { AbsorbingCache } from '../../../adapters/kube/types.ts'
import type { Controller, Wake } from '../../../engine/controller.ts'
import { groupOf, type KubeObject } from '../../../lib/kube/object.ts'
import type { QuotaKind } from '../../../lib/kube/quota.ts'
import type { Bench } from '../bench.ts'
import { lookUp } from '../by-key.ts'
import { workloadController } from '../controller.ts'
import { isSame, keyOf } from '../meta.ts'
import { as } from '../shapes.ts'
import type { Write } from '../write.ts'
import { createShares } from './shares.ts'
import { decideQuota, type Quota, type QuotaSeen } from './decide.ts'

/** A kind that quotas can count, and where its objects are. */
type Followed = { readonly kind: QuotaKind; readonly cache: AbsorbingCache }

/** Names of a quota that need whole objects, by the kind that they measure. */
const MEASURED: Readonly<Record<string, string>> = {
  pods: 'Pod',
  services: 'Service',
  persistentvolumeclaims: 'PersistentVolumeClaim',
}

/** The resource quota controller: sums up what a namespace uses. Follows only kinds that some quota counts. */
export function quotaController(bench: Bench): Controller<QuotaSeen, Write, readonly Write[]> {
  const quotas = bench.cache('v1', 'ResourceQuota')
  const followed = new Map<string, Followed>()
  let wake: Wake | undefined

  /** Admission counts what is added; only what ends, shrinks or counts elsewhere waits for this controller. */
  const shares = createShares()
  const whenFreed = (object: KubeObject, type: string, isWhole: boolean): void => {
    const concerned = quotas.list(object.metadata.namespace)
    const isFreed = concerned.length > 0 && isWhole && shares.hasChanged(object, type === 'DELETED')
    if (type === 'DELETED' || isFreed) for (const quota of concerned) wake?.now(keyOf(quota))
  }
  const follow = async (resource: string): Promise<void> => {
    if (followed.has(resource)) return
    const [plural = '', ...group] = resource.split('.')
    const kind = { plural, group: group.join('.') }
    const whole = kind.group === '' ? MEASURED[plural] : undefined
    const found = (await bench.client.resources()).find(
      (each) => each.plural === plural && groupOf(each.apiVersion) === kind.group,
    )
    if (found === undefined || followed.has(resource)) return
    const { apiVersion, kind: name } = found
    const cache =
      whole === undefined
        ? bench.cacheOf({ apiVersion, kind: name, metadataOnly: true })
        : bench.cache(apiVersion, name)
    followed.set(resource, { kind, cache })
    await cache.ready
    cache.onChange((object, type) => whenFreed(object, type, whole !== undefined))
  }
  return workloadController<QuotaSeen>(bench, {
    kind: 'ResourceQuota',
    component: 'resourcequota-controller',
    async watch(given) {
      wake = given
      await quotas.ready
      quotas.onChange((quota) => {
        const { spec, status } = as<Quota>(quota)
        if (!isSame(spec?.hard, status?.hard)) given.now(keyOf(quota))
      })
      for (const quota of quotas.list()) given.now(keyOf(quota))
    },
    async observe(key) {
      const quota = lookUp<Quota>(quotas, key)
      if (!quota) return undefined
      const wanted = new Set(Object.keys(quota.spec?.hard ?? {}).map(resourceOf))
      await Promise.all([...wanted].map(follow))
      const counted = [...wanted].flatMap((resource) => {
        const kind = followed.get(resource)
        return kind === undefined ? [] : [{ kind: kind.kind, objects: kind.cache.list(quota.metadata.namespace) }]
      })
      return { quota, counted, nowMs: bench.clock.nowMs() }
    },
    decide: decideQuota,
  })
}

/** The kind that a name of a quota counts: `count/leases.coordination.k8s.io`, `services.nodeports`, `requests.cpu`. */
function resourceOf(name: string): string {
  if (name.startsWith('count/')) return name.slice('count/'.length)
  if (name.startsWith('services.')) return 'services'
  if (name === 'requests.storage' || name.includes('.storageclass.storage.k8s.io/')) return 'persistentvolumeclaims'
  return /^(configmaps|secrets|replicationcontrollers|resourcequotas|services|persistentvolumeclaims)$/.test(name)
    ? name
    : 'pods'
}
