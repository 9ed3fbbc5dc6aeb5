import { isIP } from 'node:net'
import {
  type Json,
  type JsonObject,
  listOf,
  numberOf,
  objectOf,
  objectsOf,
  stringOf,
} from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { checkAddress, checkEndpointAddress, checkNetworkText } from '../addresses.ts'
import { type Check, duplicate, forbid, invalidFor, invalidValue, required, unsupported } from '../fault-list.ts'
import { checkLabels } from '../meta.ts'
import { labelError, labelKeyErrors, subdomainError } from '../../../../lib/kube/names.ts'
import { checkPort } from '../ports.ts'

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const FAMILIES = ['IPv4', 'IPv6']
const FAMILY_POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack']
const LONGEST_AFFINITY_SECONDS = 86_400

/** Checks of services, in the order of the real server. @see k8s.io/kubernetes/pkg/apis/core/validation validateService */
export const SERVICE_CHECKS: Readonly<Record<string, Check>> = { 'core.v1.ServiceSpec': checkService }

function checkService(spec: JsonObject, path: string, errors: FieldError[]): void {
  const addresses = addressesOf(spec)
  const isHeadless = addresses[0] === 'None'
  const ports = objectsOf(spec.ports)
  if (ports.length === 0 && spec.type !== 'ExternalName' && !isHeadless) required(errors, `${path}.ports`)
  if (isHeadless && (spec.type === 'LoadBalancer' || spec.type === 'NodePort'))
    invalidValue(errors, `${path}.clusterIPs[0]`, 'None', `may not be set to 'None' for ${spec.type} services`)
  if (spec.type === 'ExternalName') checkExternal(spec, addresses, path, errors)
  checkPorts(ports, path, errors)
  checkLabels(spec.selector, `${path}.selector`, errors)
  checkAffinity(spec, path, errors)
  if (spec.type !== 'ExternalName') checkAddresses(spec, addresses, path, errors)
  listOf(spec.externalIPs).forEach((address, index) => {
    const at = `${path}.externalIPs[${index}]`
    if (checkAddress(address, at, errors)) checkEndpointAddress(address, at, errors)
  })
  if (!TYPES.includes(stringOf(spec.type))) unsupported(errors, `${path}.type`, spec.type, TYPES)
  checkTwice(spec, ports, path, errors)
  checkBalancer(spec, path, errors)
  checkPolicies(spec, path, errors)
}

/** Networks that may come in stood in an annotation, before there was a field. */
const RANGES = 'service.beta.kubernetes.io/load-balancer-source-ranges'

/** Checks that come after those of the specification. */
export const AFTER_SERVICE: Readonly<Record<string, Check>> = {
  'core.v1.Service': ({ metadata, spec }, _path, errors) => {
    const given = objectOf(objectOf(metadata).annotations)[RANGES]
    const { type, loadBalancerSourceRanges } = objectOf(spec)
    if (typeof given !== 'string' || listOf(loadBalancerSourceRanges).length > 0) return
    const at = `metadata.annotations[${RANGES}]`
    if (type !== 'LoadBalancer') forbid(errors, at, "may only be used when `type` is 'LoadBalancer'")
    const ranges = given.trim() === '' ? [] : given.split(',')
    for (const range of ranges) checkNetworkText(range.trim(), at, errors)
  },
}

function addressesOf({ clusterIP, clusterIPs }: JsonObject): Json[] {
  if (clusterIPs !== undefined) return listOf(clusterIPs)
  return stringOf(clusterIP) === '' ? [] : [stringOf(clusterIP)]
}

function checkExternal(spec: JsonObject, addresses: readonly unknown[], path: string, errors: FieldError[]): void {
  const why = 'may not be set for ExternalName services'
  if (addresses.length > 0) forbid(errors, `${path}.clusterIPs`, why)
  if (listOf(spec.ipFamilies).length > 0) forbid(errors, `${path}.ipFamilies`, why)
  if (spec.ipFamilyPolicy !== undefined) forbid(errors, `${path}.ipFamilyPolicy`, why)
  const name = stringOf(spec.externalName).replace(/\.$/, '')
  const fault = name === '' ? undefined : subdomainError(name)
  if (name === '') required(errors, `${path}.externalName`)
  else if (fault !== undefined) invalidValue(errors, `${path}.externalName`, name, fault)
}

function checkPorts(ports: readonly JsonObject[], path: string, errors: FieldError[]): void {
  const names = new Set<string>()
  ports.forEach((port, index) => {
    const at = `${path}.ports[${index}]`
    const name = stringOf(port.name)
    const why = name === '' ? undefined : labelError(name)
    if (name === '' && ports.length > 1) required(errors, `${at}.name`)
    if (why !== undefined) invalidValue(errors, `${at}.name`, name, why)
    if (name !== '' && names.has(name)) duplicate(errors, `${at}.name`, name)
    names.add(name)
    checkPort(numberOf(port.port) ?? 0, `${at}.port`, errors)
    if (!PROTOCOLS.includes(stringOf(port.protocol))) unsupported(errors, `${at}.protocol`, port.protocol, PROTOCOLS)
    checkPort(port.targetPort ?? 0, `${at}.targetPort`, errors)
    if (typeof port.appProtocol === 'string')
      invalidFor(errors, `${at}.appProtocol`, port.appProtocol, labelKeyErrors(port.appProtocol))
  })
}

function checkAffinity(
  { sessionAffinity, sessionAffinityConfig }: JsonObject,
  path: string,
  errors: FieldError[],
): void {
  if (sessionAffinity !== 'ClientIP' && sessionAffinity !== 'None')
    return unsupported(errors, `${path}.sessionAffinity`, sessionAffinity, ['ClientIP', 'None'])
  const at = `${path}.sessionAffinityConfig`
  if (sessionAffinity === 'None') {
    if (sessionAffinityConfig !== undefined) forbid(errors, at, 'must not be set when session affinity is None')
    return
  }
  const seconds = numberOf(objectOf(objectOf(sessionAffinityConfig).clientIP).timeoutSeconds) ?? 0
  if (seconds <= 0 || seconds > LONGEST_AFFINITY_SECONDS)
    invalidValue(
      errors,
      `${at}.clientIP.timeoutSeconds`,
      seconds,
      `must be greater than 0 and less than ${LONGEST_AFFINITY_SECONDS}`,
    )
}

function checkAddresses(
  { clusterIP, ipFamilies, ipFamilyPolicy }: JsonObject,
  addresses: ReturnType<typeof listOf>,
  path: string,
  errors: FieldError[],
): void {
  const at = `${path}.clusterIPs`
  const first = stringOf(clusterIP)
  if (first !== '' && addresses[0] !== first) invalidValue(errors, at, addresses, 'first value must match `clusterIP`')
  if (first === '' && addresses.length > 0)
    invalidValue(errors, at, addresses, 'must be empty when `clusterIP` is not specified')
  const families = listOf(ipFamilies)
  families.forEach((family, index) => {
    if (!FAMILIES.includes(stringOf(family))) unsupported(errors, `${path}.ipFamilies[${index}]`, family, FAMILIES)
    if (families.indexOf(family) < index) duplicate(errors, `${path}.ipFamilies[${index}]`, family)
  })
  if (ipFamilyPolicy !== undefined && !FAMILY_POLICIES.includes(stringOf(ipFamilyPolicy)))
    unsupported(errors, `${path}.ipFamilyPolicy`, ipFamilyPolicy, FAMILY_POLICIES)
  let areValid = true
  addresses.forEach((address, index) => {
    if (index === 0 && address === 'None') {
      if (addresses.length === 1) return
      areValid = false
      invalidValue(errors, at, addresses, "'None' must be the first and only value")
    } else if (!checkAddress(address, `${at}[${index}]`, errors)) areValid = false
  })
  if (addresses.length > 2) invalidValue(errors, at, addresses, 'may only hold up to 2 values')
  if (areValid && addresses[0] !== 'None') checkFamilies(families, addresses, at, errors)
}

function checkFamilies(
  families: ReturnType<typeof listOf>,
  addresses: ReturnType<typeof listOf>,
  at: string,
  errors: FieldError[],
): void {
  const kinds = new Set(addresses.map((address) => isIP(stringOf(address))))
  if (addresses.length > 1 && (addresses.length > 2 || kinds.size < 2))
    invalidValue(errors, at, addresses, 'may specify no more than one IP for each IP family')
  addresses.slice(0, families.length).forEach((address, index) => {
    const found = `IPv${isIP(stringOf(address))}`
    const wanted = stringOf(families[index])
    if (FAMILIES.includes(wanted) && wanted !== found)
      invalidValue(
        errors,
        `${at}[${index}]`,
        address,
        `expected an ${wanted} value as indicated by \`ipFamilies[${index}]\``,
      )
  })
}

function checkTwice({ type }: JsonObject, ports: readonly JsonObject[], path: string, errors: FieldError[]): void {
  const nodePorts = new Set<string>()
  ports.forEach(({ protocol, nodePort }, index) => {
    if (nodePort === undefined || nodePort === 0) return
    const at = `${path}.ports[${index}].nodePort`
    if (type === 'ClusterIP') forbid(errors, at, "may not be used when `type` is 'ClusterIP'")
    const key = `${stringOf(protocol)} ${String(nodePort)}`
    if (nodePorts.has(key)) duplicate(errors, at, nodePort)
    nodePorts.add(key)
  })
  const seen = new Set<string>()
  ports.forEach(({ protocol, port }, index) => {
    const key = `${stringOf(protocol)} ${String(port)}`
    if (seen.has(key))
      duplicate(errors, `${path}.ports[${index}]`, {
        Name: '',
        Protocol: protocol,
        AppProtocol: null,
        Port: port,
        TargetPort: 0,
        NodePort: 0,
      })
    seen.add(key)
  })
}

function checkBalancer(spec: JsonObject, path: string, errors: FieldError[]): void {
  const why = "may only be used when `type` is 'LoadBalancer'"
  const ranges = listOf(spec.loadBalancerSourceRanges)
  if (ranges.length > 0 && spec.type !== 'LoadBalancer') forbid(errors, `${path}.LoadBalancerSourceRanges`, why)
  ranges.forEach((range, index) =>
    checkNetworkText(stringOf(range).trim(), `${path}.LoadBalancerSourceRanges[${index}]`, errors),
  )
  if (spec.type === 'LoadBalancer') {
    const name = spec.loadBalancerClass
    if (typeof name === 'string') invalidFor(errors, `${path}.loadBalancerClass`, name, labelKeyErrors(name))
    return
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined) forbid(errors, `${path}.allocateLoadBalancerNodePorts`, why)
  if (spec.loadBalancerClass !== undefined) forbid(errors, `${path}.loadBalancerClass`, why)
}

function checkPolicies(spec: JsonObject, path: string, errors: FieldError[]): void {
  const outer = stringOf(spec.externalTrafficPolicy)
  const at = `${path}.externalTrafficPolicy`
  const isOutside = spec.type === 'LoadBalancer' || spec.type === 'NodePort' || hasExternalAddress(spec)
  if (!isOutside && outer !== '') invalidValue(errors, at, outer, 'may only be set for externally-accessible services')
  else if (isOutside && outer === '') required(errors, at)
  else if (isOutside && outer !== 'Local' && outer !== 'Cluster') unsupported(errors, at, outer, ['Cluster', 'Local'])
  const checked = spec.type === 'LoadBalancer' && outer === 'Local'
  const healthPort = numberOf(spec.healthCheckNodePort) ?? 0
  if (checked && healthPort === 0) required(errors, `${path}.healthCheckNodePort`)
  else if (checked) checkPort(healthPort, `${path}.healthCheckNodePort`, errors)
  if (!checked && healthPort !== 0)
    invalidValue(
      errors,
      `${path}.healthCheckNodePort`,
      healthPort,
      "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
    )
  const inner = spec.internalTrafficPolicy
  if (inner !== undefined && inner !== 'Cluster' && inner !== 'Local')
    unsupported(errors, `${path}.internalTrafficPolicy`, inner, ['Cluster', 'Local'])
  const distribution = spec.trafficDistribution
  if (distribution !== undefined && !DISTRIBUTIONS.includes(stringOf(distribution)))
    unsupported(errors, `${path}.trafficDistribution`, distribution, DISTRIBUTIONS)
}

const DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode']

/** What is wrong with the addresses and their families alone: the server looks there first. */
export function addressFaults(spec: JsonObject): FieldError[] {
  const errors: FieldError[] = []
  if (spec.type !== 'ExternalName') checkAddresses(spec, addressesOf(spec), 'spec', errors)
  return errors
}

const hasExternalAddress = ({ type, externalIPs }: JsonObject): boolean =>
  type === 'ClusterIP' && listOf(externalIPs).length > 0
