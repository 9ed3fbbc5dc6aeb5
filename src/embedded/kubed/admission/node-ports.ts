import { type JsonObject, numberOf, objectsOf } from '../../../lib/kube/json.ts'
import type { Environment } from '../environment.ts'
import type { FieldError } from '../fault.ts'
import { type Obj, specOf } from '../object.ts'
import { invalidValue } from '../validation/fault-list.ts'

/** The port before the first that a dry run shows. */
const DRY_PORT = 32768
const FIRST_PORT = 30000
const LAST_PORT = 32767

/** The ports of nodes as one service finds them. */
export type NodePorts = {
  /** A free one. A dry run shows one that no service has. */
  readonly next: () => number
  /** Takes a port; answers why it cannot be had. A dry run looks only whether another has it. */
  readonly take: (port: number) => string | undefined
}

/** What is free beside all other services. */
export function nodePortsFor(env: Environment, service: Obj, isDryRun: boolean): NodePorts {
  const taken = new Set<unknown>()
  let dry = DRY_PORT
  for (const other of env.store.list('/services'))
    if (other.metadata.uid !== service.metadata.uid) {
      const { ports, healthCheckNodePort } = specOf(other)
      for (const { nodePort } of objectsOf(ports)) taken.add(nodePort)
      taken.add(healthCheckNodePort)
    }
  const free = (): number => {
    for (;;) {
      const [a = 0, b = 0] = env.random(2)
      const port = FIRST_PORT + ((a * 256 + b) % (LAST_PORT - FIRST_PORT + 1))
      if (!taken.has(port)) return port
    }
  }
  return {
    next() {
      const port = isDryRun ? ++dry : free()
      taken.add(port)
      return port
    },
    take(port) {
      if (!isDryRun && (port < FIRST_PORT || port > LAST_PORT))
        return `provided port is not in the valid range. The range of valid ports is ${FIRST_PORT}-${LAST_PORT}`
      if (taken.has(port)) return 'provided port is already allocated'
      taken.add(port)
      return undefined
    },
  }
}

/** Gives the ports of a new service their node ports: the same number with another protocol shares its own. @see k8s.io/kubernetes/pkg/registry/core/service/storage initNodePorts */
export function allocateNew(spec: JsonObject, nodePorts: NodePorts, errors: FieldError[]): void {
  const given = new Map<unknown, number>()
  const ports = objectsOf(spec.ports)
  for (const [index, port] of ports.entries()) {
    const wanted = numberOf(port.nodePort) ?? 0
    const shared = given.get(port.port)
    if (wanted === 0 && !takesAny(spec)) continue
    if (shared !== undefined && (wanted === 0 || wanted === shared)) {
      port.nodePort = shared
      continue
    }
    const named = ports.find((each) => each.port === port.port && (numberOf(each.nodePort) ?? 0) !== 0)
    const number = shared === undefined ? (numberOf(named?.nodePort) ?? 0) : wanted
    const why = number === 0 ? undefined : nodePorts.take(number)
    if (why !== undefined) return invalidValue(errors, `spec.ports[${index}].nodePort`, number, why)
    port.nodePort = number === 0 ? nodePorts.next() : number
    if (shared === undefined) given.set(port.port, number === 0 ? (numberOf(port.nodePort) ?? 0) : number)
  }
}

/** Gives the ports of a changed service their node ports; those that it had are its own. */
export function allocateChanged(spec: JsonObject, old: JsonObject, nodePorts: NodePorts, errors: FieldError[]): void {
  const own = new Set(objectsOf(old.ports).map(({ nodePort }) => nodePort))
  for (const [index, port] of objectsOf(spec.ports).entries()) {
    const wanted = numberOf(port.nodePort) ?? 0
    if (wanted === 0) {
      if (takesAny(spec)) port.nodePort = nodePorts.next()
      continue
    }
    const why = own.has(wanted) ? undefined : nodePorts.take(wanted)
    if (why !== undefined) return invalidValue(errors, `spec.ports[${index}].nodePort`, wanted, why)
    own.add(wanted)
  }
}

const takesAny = ({ type, allocateLoadBalancerNodePorts }: JsonObject): boolean =>
  type === 'NodePort' || allocateLoadBalancerNodePorts !== false
