import { isIP } from 'node:net'
import { type JsonObject, listOf, numberOf, objectOf, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { checkAddress, checkEndpointAddress } from '../addresses.ts'
import {
  type Check,
  checkName,
  duplicate,
  invalidFor,
  invalidValue,
  push,
  required,
  unsupported,
} from '../fault-list.ts'
import { labelError, labelKeyErrors, labelValueErrors, subdomainError } from '../../../../lib/kube/names.ts'
import { checkLabels } from '../meta.ts'
import { checkPort } from '../ports.ts'

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const FAMILIES = ['FQDN', 'IPv4', 'IPv6']
const MOST_ADDRESSES = 100
const MOST_ENDPOINTS = 1000
const MOST_PORTS = 20_000
const MOST_HINTS = 8

const HINTS: readonly (readonly [field: string, faults: (name: string) => readonly string[]])[] = [
  ['forZones', labelValueErrors],
  ['forNodes', (name) => [subdomainError(name)].filter((why) => why !== undefined)],
]

/** Checks of endpoints and their slices. @see k8s.io/kubernetes/pkg/apis/discovery/validation */
export const ENDPOINT_CHECKS: Readonly<Record<string, Check>> = {
  'core.v1.Endpoints': checkEndpoints,
  'discovery.v1.EndpointSlice': checkSlice,
}

/**
 * What our own controllers write may name loopback addresses: pods of the process driver, and those on the host's
 * network, have no others. From anybody else they are refused, as by the real server.
 */
const OWN: Readonly<Record<string, string>> = {
  'endpoints.kubernetes.io/managed-by': 'endpoint-controller',
  'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
}

function isOwn({ metadata }: JsonObject): boolean {
  const labels = objectOf(objectOf(metadata).labels)
  return Object.entries(OWN).some(([label, value]) => labels[label] === value)
}

function checkEndpoints(endpoints: JsonObject, _path: string, errors: FieldError[]): void {
  objectsOf(endpoints.subsets).forEach((subset, index) => {
    const path = `subsets[${index}]`
    if (listOf(subset.addresses).length === 0 && listOf(subset.notReadyAddresses).length === 0)
      required(errors, path, 'must specify `addresses` or `notReadyAddresses`')
    for (const list of ['addresses', 'notReadyAddresses'])
      objectsOf(subset[list]).forEach(({ ip, hostname, nodeName }, place) => {
        const at = `${path}.${list}[${place}]`
        checkAddress(ip, `${at}.ip`, errors)
        checkLabel(hostname, `${at}.hostname`, errors)
        checkName(nodeName, `${at}.nodeName`, subdomainError, errors)
        if (!isOwn(endpoints)) checkEndpointAddress(ip, `${at}.ip`, errors)
      })
    const ports = objectsOf(subset.ports)
    ports.forEach((port, place) => {
      const at = `${path}.ports[${place}]`
      if (ports.length > 1 && stringOf(port.name) === '') required(errors, `${at}.name`)
      checkLabel(port.name, `${at}.name`, errors)
      checkPort(numberOf(port.port) ?? 0, `${at}.port`, errors)
      checkProtocol(port, at, errors)
    })
  })
}

function checkLabel(name: unknown, path: string, errors: FieldError[]): void {
  if (typeof name !== 'string' || name === '') return
  const why = labelError(name)
  if (why !== undefined) invalidValue(errors, path, name, why)
}

function checkProtocol({ protocol, appProtocol }: JsonObject, path: string, errors: FieldError[]): void {
  if (!PROTOCOLS.includes(stringOf(protocol))) unsupported(errors, `${path}.protocol`, stringOf(protocol), PROTOCOLS)
  if (typeof appProtocol === 'string')
    invalidFor(errors, `${path}.appProtocol`, appProtocol, labelKeyErrors(appProtocol))
}

function checkSlice(slice: JsonObject, _path: string, errors: FieldError[]): void {
  const family = stringOf(slice.addressType)
  if (family === '') required(errors, 'addressType')
  else if (!FAMILIES.includes(family)) unsupported(errors, 'addressType', family, FAMILIES)
  const ports = objectsOf(slice.ports)
  if (ports.length > MOST_PORTS) tooMany('ports', ports.length, MOST_PORTS, errors)
  const names = new Set<string>()
  ports.forEach((port, index) => {
    const at = `ports[${index}]`
    const name = stringOf(port.name)
    checkLabel(name, `${at}.name`, errors)
    if (names.has(name)) duplicate(errors, `${at}.name`, name)
    names.add(name)
    checkProtocol(port, at, errors)
  })
  const endpoints = objectsOf(slice.endpoints)
  if (endpoints.length > MOST_ENDPOINTS) tooMany('endpoints', endpoints.length, MOST_ENDPOINTS, errors)
  endpoints.forEach((endpoint, index) => checkEndpoint(endpoint, family, isOwn(slice), `endpoints[${index}]`, errors))
}

const TOO_SHORT = 'should be a domain with at least two segments separated by dots'

function checkEndpoint(
  endpoint: JsonObject,
  family: string,
  isOurs: boolean,
  path: string,
  errors: FieldError[],
): void {
  const addresses = listOf(endpoint.addresses)
  const at = `${path}.addresses`
  if (addresses.length === 0) required(errors, at)
  else if (addresses.length > MOST_ADDRESSES) tooMany(at, addresses.length, MOST_ADDRESSES, errors)
  addresses.forEach((address, index) => {
    const here = `${at}[${index}]`
    const found = isIP(stringOf(address))
    if (family === 'FQDN') {
      const name = stringOf(address)
      const why = subdomainError(name) ?? (name.includes('.') ? undefined : TOO_SHORT)
      if (why !== undefined) invalidValue(errors, here, address, why)
      return
    }
    if (family !== 'IPv4' && family !== 'IPv6') return
    if (!checkAddress(address, here, errors, family === 'IPv6')) return
    if (`IPv${found}` !== family) invalidValue(errors, at, address, `must be an ${family} address`)
    if (!isOurs) checkEndpointAddress(address, here, errors)
  })
  checkName(endpoint.nodeName, `${path}.nodeName`, subdomainError, errors)
  checkLabels(endpoint.deprecatedTopology, `${path}.deprecatedTopology`, errors)
  checkName(endpoint.hostname, `${path}.hostname`, labelError, errors)
  checkHints(objectOf(endpoint.hints), `${path}.hints`, errors)
}

/** For which zones and nodes an endpoint is meant: each once. */
function checkHints(hints: JsonObject, path: string, errors: FieldError[]): void {
  for (const [field, faults] of HINTS) {
    const names = objectsOf(hints[field]).map(({ name }) => stringOf(name))
    if (names.length > MOST_HINTS) return tooMany(`${path}.${field}`, names.length, MOST_HINTS, errors)
    names.forEach((name, index) => {
      const at = `${path}.${field}[${index}].name`
      if (names.indexOf(name) < index) duplicate(errors, at, name)
      else invalidFor(errors, at, name, faults(name))
    })
  }
}

function tooMany(path: string, found: number, most: number, errors: FieldError[]): void {
  push(errors, path, 'TooMany', `Too many: ${found}: must have at most ${most} items`)
}
