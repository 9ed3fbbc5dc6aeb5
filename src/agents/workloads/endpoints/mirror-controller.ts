import type { Controller } from '../../../engine/controller.ts'
import type { Bench } from '../bench.ts'
import { lookUp, wakeFor } from '../by-key.ts'
import { workloadController } from '../controller.ts'
import { indexBy, type NameIndex } from '../index-by.ts'
import { byCreation, keyOf } from '../meta.ts'
import { as, type Service } from '../shapes.ts'
import type { Write } from '../write.ts'
import { decideMirror, type Endpoints, MIRRORED_BY, type MirrorSeen, type MirrorSlice } from './mirror.ts'
import { serviceOf } from './slice.ts'

/** The EndpointSlice mirroring controller: makes slices of Endpoints that were written by hand. */
export function mirrorController(bench: Bench): Controller<MirrorSeen, Write, readonly Write[]> {
  const services = bench.cache('v1', 'Service')
  const endpoints = bench.cache('v1', 'Endpoints')
  const slices = bench.cache('discovery.k8s.io/v1', 'EndpointSlice')
  let slicesOf: NameIndex = () => []
  return workloadController<MirrorSeen>(bench, {
    kind: 'Endpoints',
    component: 'endpoint-slice-mirroring-controller',
    async watch(wake) {
      await Promise.all([services, endpoints, slices].map(({ ready }) => ready))
      slicesOf = indexBy(slices, (slice) => [serviceOf(slice, MIRRORED_BY) ?? []].flat(), wake.now)
      services.onChange((service) => wake.now(keyOf(service)))
      wakeFor(endpoints, wake.now)
    },
    observe(key) {
      const written = lookUp<Endpoints>(endpoints, key)
      const mirrored = slicesOf(key).map((slice) => as<MirrorSlice>(slice))
      if (!written && mirrored.length === 0) return undefined
      return { endpoints: written, service: lookUp<Service>(services, key), slices: mirrored.sort(byCreation) }
    },
    decide: decideMirror,
  })
}
