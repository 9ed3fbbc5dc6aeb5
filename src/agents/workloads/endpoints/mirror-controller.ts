import type { Controller } from '../../../engine/controller.ts'
import type { Bench } from '../bench.ts'
import { lookUp, wakeFor } from '../by-key.ts'
import { workloadController } from '../controller.ts'
import { byCreation, keyOf } from '../meta.ts'
import { indexByOwner, type OwnedIndex } from '../owned-index.ts'
import { as, type Service } from '../shapes.ts'
import type { Write } from '../write.ts'
import { decideMirror, type Endpoints, type MirrorSeen, type MirrorSlice } from './mirror.ts'

/** The EndpointSlice mirroring controller: makes slices of Endpoints that were written by hand. */
export function mirrorController(bench: Bench): Controller<MirrorSeen, Write, readonly Write[]> {
  const services = bench.cache('v1', 'Service')
  const endpoints = bench.cache('v1', 'Endpoints')
  const slices = bench.cache('discovery.k8s.io/v1', 'EndpointSlice')
  let slicesOf: OwnedIndex | undefined
  return workloadController<MirrorSeen>(bench, {
    kind: 'Endpoints',
    component: 'endpoint-slice-mirroring-controller',
    async watch(wake) {
      await Promise.all([services, endpoints, slices].map(({ ready }) => ready))
      slicesOf = indexByOwner(slices, 'Endpoints', wake.now, () => undefined)
      services.onChange((service) => wake.now(keyOf(service)))
      wakeFor(endpoints, wake.now)
    },
    observe(key) {
      const written = lookUp<Endpoints>(endpoints, key)
      if (!written) return undefined
      return {
        endpoints: written,
        service: lookUp<Service>(services, key),
        slices: (slicesOf?.of(written.metadata.uid ?? '') ?? [])
          .map((slice) => as<MirrorSlice>(slice))
          .sort(byCreation),
      }
    },
    decide: decideMirror,
  })
}
