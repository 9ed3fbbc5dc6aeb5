import type { WatchCache } from '../../../adapters/kube/types.ts'
import { onceMore } from '../again.ts'
import type { Driver } from '../driver.ts'
import { openFixedPorts } from './fixed-ports.ts'
import { openHostPorts } from './host-ports.ts'
import { asksForPorts, planNodePorts, planPodPorts, planServicePorts } from './node-ports.ts'
import { parsePod } from '../pod/shapes.ts'
import type { Recorder } from '../events.ts'
import { planNetwork } from './services.ts'

/** The network of a node as it follows the cluster. */
export type NetworkFollower = {
  /** Looks again: the driver is another one. */
  readonly wake: () => void
  /** The port of this machine's loopback where a Service's port is. */
  readonly portOf: (key: string) => number | undefined
  readonly stop: () => void
  readonly close: () => Promise<void>
}

/** Keeps the network in step with Services, EndpointSlices and the ports that pods ask for. */
export function followNetwork(o: {
  readonly caches: Readonly<Record<'pods' | 'services' | 'slices', WatchCache>>
  readonly driver: () => Driver | undefined
  readonly apiSocket: string | undefined
  readonly stateDir: string
  readonly record: Recorder
  readonly log: (line: string) => void
}): NetworkFollower {
  const { pods, services, slices } = o.caches
  const streamOf = (key: string) => o.driver()?.serviceStream(key)
  const hostPorts = openHostPorts({ stateDir: o.stateDir, streamOf, log: o.log })
  const fixedPorts = openFixedPorts({
    streamOf,
    failed: ({ of, host, port }, why) =>
      o.record(of, 'Warning', 'PortNotOpened', `port ${host}:${port} is not opened: ${why}`),
  })
  let isStopped = false
  const { wake } = onceMore(async () => {
    const driver = o.driver()
    if (isStopped) return
    const nodeIp = driver?.dns === undefined ? undefined : driver.hostIp
    const table = planNetwork(services.list(), slices.list(), nodeIp !== undefined, o.apiSocket)
    const podPorts = planPodPorts(
      pods.list().flatMap((object) => parsePod(object) ?? []),
      nodeIp,
    )
    const ports = [...table.ports, ...planNodePorts(table.ports, nodeIp), ...podPorts.tables]
    await driver?.setNetwork({ ...table, ports }).catch((error: unknown) => o.log(`node: network: ${String(error)}`))
    if (driver === undefined || driver.isSimulated) return
    await hostPorts.set(table.ports.flatMap(({ key, protocol }) => (protocol === 'UDP' ? [] : [key])))
    await fixedPorts.set([...planServicePorts(services.list(), nodeIp !== undefined), ...podPorts.opened])
  })
  const stops = [
    ...[services, slices].map((cache) => cache.onChange(wake)),
    pods.onChange((object) => {
      const pod = parsePod(object)
      if (pod !== undefined && asksForPorts(pod)) wake()
    }),
  ]
  wake()
  return {
    wake,
    portOf: hostPorts.portOf,
    stop() {
      isStopped = true
      for (const stop of stops) stop()
    },
    close: async () => void (await Promise.all([hostPorts.close(), fixedPorts.close()])),
  }
}
