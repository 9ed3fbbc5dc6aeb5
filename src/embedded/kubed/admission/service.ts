import { isObject, type JsonObject, listOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { Environment } from '../environment.ts'
import type { FieldError } from '../fault.ts'
import { type Obj, specOf } from '../object.ts'

const KEY = '/services'
/** 10.96.0.0/16, as clusters of kubeadm have it; .1 is the API server's own. */
const NETWORK = '10.96.'
/** What a dry run shows instead of looking for a free one, as the real server does: the network's own address. */
const DRY_ADDRESS = `${NETWORK}0.0`
/** The port before the first that a dry run shows. */
const DRY_PORT = 32768
const FIRST_PORT = 30000
const LAST_PORT = 32767

/** Gives a service the addresses and node ports that its type needs and it does not name; carries over those it had. */
export function allocateService(
  env: Environment,
  service: Obj,
  before: Obj | undefined,
  isDryRun: boolean,
): FieldError[] {
  const spec = specOf(service)
  if (before !== undefined) carryOver(spec, specOf(before))
  const errors: FieldError[] = []
  if (spec.type === 'ExternalName') {
    for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'])
      if (before !== undefined) delete spec[field]
    return errors
  }
  spec.ipFamilies ??= ['IPv4']
  spec.ipFamilyPolicy ??= 'SingleStack'
  if (spec.clusterIP === undefined || spec.clusterIP === '')
    spec.clusterIP = listOf(spec.clusterIPs)[0] ?? (isDryRun ? DRY_ADDRESS : freeAddress(env))
  spec.clusterIPs ??= [spec.clusterIP]
  if (spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false))
    allocatePorts(env, service, spec, isDryRun)
  else if (before !== undefined) for (const port of objectsOf(spec.ports)) delete port.nodePort
  if (spec.externalTrafficPolicy === 'Local' && spec.type === 'LoadBalancer')
    spec.healthCheckNodePort ??= isDryRun
      ? dryPort(new Set(objectsOf(spec.ports).map(({ nodePort }) => nodePort)))
      : freePort(env, new Set())
  return errors
}

function carryOver(spec: JsonObject, old: JsonObject): void {
  const staysInside = spec.type !== 'ExternalName' && old.type !== 'ExternalName'
  if (!staysInside) return
  if (spec.clusterIP === undefined || spec.clusterIP === '') {
    spec.clusterIP = old.clusterIP
    if (listOf(spec.clusterIPs).length === 0) spec.clusterIPs = old.clusterIPs
  }
  spec.clusterIPs ??= spec.clusterIP === old.clusterIP ? old.clusterIPs : undefined
  spec.ipFamilies ??= old.ipFamilies
  spec.ipFamilyPolicy ??= old.ipFamilyPolicy
  if (spec.healthCheckNodePort === undefined && spec.externalTrafficPolicy === 'Local')
    spec.healthCheckNodePort = old.healthCheckNodePort
  for (const port of objectsOf(spec.ports)) {
    if (port.nodePort !== undefined) continue
    const same = objectsOf(old.ports).find((each) => stringOf(each.name) === stringOf(port.name))
    if (same?.nodePort !== undefined) port.nodePort = same.nodePort
  }
}

function freeAddress(env: Environment): string {
  const used = new Set<unknown>()
  for (const { spec } of env.store.list(KEY))
    if (isObject(spec)) for (const address of listOf(spec.clusterIPs)) used.add(address)
  for (;;) {
    const [a = 0, b = 0] = env.random(2)
    const address = `${NETWORK}${a}.${b}`
    // The low addresses stay free for services that name theirs (DNS and the like).
    if ((a > 0 || b > 16) && b !== 255 && !used.has(address)) return address
  }
}

function allocatePorts(env: Environment, service: Obj, spec: JsonObject, isDryRun: boolean): void {
  const given = new Map<unknown, unknown>()
  const taken = new Set<unknown>()
  for (const port of objectsOf(spec.ports)) {
    if (port.nodePort === undefined || port.nodePort === 0) {
      // The same port number with another protocol shares its node port.
      const shared = given.get(port.port)
      port.nodePort = typeof shared === 'number' ? shared : isDryRun ? dryPort(taken) : freePort(env, taken, service)
    }
    given.set(port.port, port.nodePort)
    taken.add(port.nodePort)
  }
}

function dryPort(taken: ReadonlySet<unknown>): number {
  return Math.max(DRY_PORT, ...[...taken].filter((port) => typeof port === 'number')) + 1
}

function freePort(env: Environment, taken: ReadonlySet<unknown>, self?: Obj): number {
  const used = new Set<unknown>(taken)
  for (const other of env.store.list(KEY))
    if (other.metadata.uid !== self?.metadata.uid)
      for (const port of objectsOf(specOf(other).ports)) used.add(port.nodePort)
  for (;;) {
    const [a = 0, b = 0] = env.random(2)
    const port = FIRST_PORT + ((a * 256 + b) % (LAST_PORT - FIRST_PORT + 1))
    if (!used.has(port)) return port
  }
}
