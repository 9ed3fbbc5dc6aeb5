import type { Controller } from '../../../engine/controller.ts'
import type { AbsorbingCache } from '../../../adapters/kube/types.ts'
import type { Bench } from '../bench.ts'
import { lookUp, wakeFor } from '../by-key.ts'
import { workloadController } from '../controller.ts'
import { as } from '../shapes.ts'
import type { Write } from '../write.ts'
import { decideNetwork, type NetworkSeen, type ServiceCIDR } from './decide.ts'

/** The ServiceCIDR controller: watches the networks of Services; their addresses once a network is being deleted. */
export function serviceNetworks(bench: Bench): Controller<NetworkSeen, Write, readonly Write[]> {
  const networks = bench.cache('networking.k8s.io/v1', 'ServiceCIDR')
  let addresses: AbsorbingCache | undefined
  let wakeLeaving = (): void => undefined
  const openAddresses = (): AbsorbingCache => {
    const opened = bench.cacheOf({ apiVersion: 'networking.k8s.io/v1', kind: 'IPAddress', metadataOnly: true })
    opened.onChange(wakeLeaving)
    return opened
  }
  return workloadController<NetworkSeen>(bench, {
    kind: 'ServiceCIDR',
    component: 'service-cidr-controller',
    async watch(wake) {
      await networks.ready
      wakeLeaving = () => {
        for (const { metadata } of networks.list()) if (metadata.deletionTimestamp) wake.now(metadata.name)
      }
      networks.onChange(wakeLeaving)
      wakeFor(networks, wake.now)
    },
    async observe(key) {
      const network = lookUp<ServiceCIDR>(networks, key)
      if (!network) return undefined
      if (network.metadata.deletionTimestamp !== undefined) {
        addresses ??= openAddresses()
        await addresses.ready
      }
      return {
        network,
        all: networks.list().map((one) => as<ServiceCIDR>(one)),
        addresses: addresses?.list() ?? [],
        nowMs: bench.clock.nowMs(),
      }
    },
    decide: decideNetwork,
  })
}
