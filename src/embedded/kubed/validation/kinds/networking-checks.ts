import { isIP } from 'node:net'
import { isWithin, parseNetwork } from '../../../../lib/kube/addresses.ts'
import { isObject, type JsonObject, listOf, numberOf, objectOf, stringOf } from '../../../../lib/kube/json.ts'
import { asGiven } from '../../decoding/emptied.ts'
import type { FieldError } from '../../fault.ts'
import { checkNetworkText } from '../addresses.ts'
import { type Below, type Check, invalidFor, invalidValue, push, required, unsupported } from '../fault-list.ts'
import { labelError, pathSegmentError, subdomainError } from '../../../../lib/kube/names.ts'
import { portNameErrors } from '../ports.ts'

const PROTOCOLS = ['TCP', 'UDP', 'SCTP']
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class'

/** Checks of policies, ingresses and their classes. @see k8s.io/kubernetes/pkg/apis/networking/validation */
export const NETWORKING_CHECKS: Readonly<Record<string, Check>> = {
  'networking.v1.NetworkPolicySpec': ({ policyTypes }, path, errors, below) => {
    for (const field of ['podSelector', 'ingress', 'egress']) below(field)
    const types = listOf(policyTypes)
    if (types.length > 2) {
      invalidValue(errors, `${path}.policyTypes`, types, 'may not specify more than two policyTypes')
      return
    }
    types.forEach((type, index) => {
      if (type !== 'Ingress' && type !== 'Egress')
        unsupported(errors, `${path}.policyTypes[${index}]`, type, ['Ingress', 'Egress'])
    })
  },
  'networking.v1.NetworkPolicyIngressRule': (_rule, _path, _errors, below) => below('ports'),
  'networking.v1.NetworkPolicyEgressRule': (_rule, _path, _errors, below) => below('ports'),
  'networking.v1.NetworkPolicyPeer': (peer, path, errors, below) => {
    const { ipBlock, podSelector, namespaceSelector } = peer
    for (const field of ['podSelector', 'namespaceSelector', 'ipBlock']) below(field)
    if (ipBlock === undefined && podSelector === undefined && namespaceSelector === undefined)
      required(errors, path, 'must specify a peer')
    if (ipBlock !== undefined && (podSelector !== undefined || namespaceSelector !== undefined))
      push(errors, path, 'Forbidden', 'Forbidden: may not specify both ipBlock and another peer')
  },
  'networking.v1.IPBlock': checkBlock,
  'networking.v1.NetworkPolicyPort': checkPolicyPort,
  'networking.v1.Ingress': ({ metadata, spec }, _path, errors, below) => {
    below('spec')
    const old = objectOf(objectOf(metadata).annotations)[CLASS_ANNOTATION]
    const name = objectOf(spec).ingressClassName
    if (old !== undefined && name !== undefined && old !== name)
      invalidValue(
        errors,
        `annotations.${CLASS_ANNOTATION}`,
        old,
        'must match `ingressClassName` when both are specified',
      )
  },
  'networking.v1.IngressSpec': checkIngress,
  'networking.v1.IngressRule': ({ host }, path, errors) => {
    const text = stringOf(host)
    if (text === '') return
    if (isIP(text) !== 0) return invalidValue(errors, `${path}.host`, text, 'must be a DNS name, not an IP address')
    const why = subdomainError(text.replace(/^\*\./, ''))
    if (why !== undefined) invalidValue(errors, `${path}.host`, text, text.includes('*') ? WILDCARD : why)
  },
  'networking.v1.HTTPIngressPath': checkPath,
  'networking.v1.IngressBackend': checkBackend,
  'networking.v1.HTTPIngressRuleValue': ({ paths }, path, errors) => {
    if (listOf(paths).length === 0) required(errors, `${path}.paths`)
  },
  'networking.v1.IngressTLS': ({ hosts, secretName }, path, errors) => {
    listOf(hosts).forEach((host, index) => {
      const text = stringOf(host)
      const why = subdomainError(text.replace(/^\*\./, ''))
      if (why !== undefined) invalidValue(errors, `${path}.hosts[${index}]`, text, text.includes('*') ? WILDCARD : why)
    })
    checkName(secretName, `${path}.secretName`, errors)
  },
  'networking.v1.IngressClassSpec': ({ controller, parameters }, path, errors) => {
    const name = stringOf(controller)
    checkPrefixed(name, `${path}.controller`, errors)
    if (isObject(parameters)) checkParameters(parameters, `${path}.parameters`, errors)
  },
}

const WILDCARD =
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"

function checkName(value: unknown, path: string, errors: FieldError[]): void {
  if (typeof value !== 'string' || value === '') return
  const why = subdomainError(value)
  if (why !== undefined) invalidValue(errors, path, value, why)
}

const HTTP_PATH = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/

/** A name such as `acme.io/foo`. */
export function checkPrefixed(name: string, path: string, errors: FieldError[]): void {
  if (name === '') return required(errors, path)
  const slash = name.indexOf('/')
  if (slash <= 0 || slash === name.length - 1)
    return invalidValue(errors, path, name, 'must be a domain-prefixed path (such as "acme.io/foo")')
  const [host, rest] = [name.slice(0, slash), name.slice(slash + 1)]
  const why = subdomainError(host)
  if (why !== undefined) invalidValue(errors, path, host, why)
  if (!HTTP_PATH.test(rest))
    invalidValue(errors, path, rest, `Invalid path (regex used for validation is '${HTTP_PATH.source.slice(1, -1)}')`)
}

function checkBlock({ cidr, except }: JsonObject, path: string, errors: FieldError[]): void {
  if (stringOf(cidr) === '') return required(errors, `${path}.cidr`)
  checkNetworkText(cidr, `${path}.cidr`, errors)
  const outer = parseNetwork(stringOf(cidr))
  if (outer === undefined) return
  listOf(except).forEach((each, index) => {
    const place = `${path}.except[${index}]`
    checkNetworkText(each, place, errors)
    const inner = parseNetwork(stringOf(each))
    if (inner !== undefined && !isWithin(inner, outer))
      invalidValue(errors, place, each, 'must be a strict subset of `cidr`')
  })
}

function checkPolicyPort({ port, endPort, protocol }: JsonObject, path: string, errors: FieldError[]): void {
  if (protocol !== undefined && !PROTOCOLS.includes(stringOf(protocol)))
    unsupported(errors, `${path}.protocol`, protocol, PROTOCOLS)
  const at = `${path}.endPort`
  if (typeof port === 'string') {
    if (endPort !== undefined) invalidValue(errors, at, endPort, 'may not be specified when `port` is non-numeric')
    return invalidFor(errors, `${path}.port`, port, portNameErrors(port))
  }
  const first = numberOf(port)
  const last = numberOf(endPort)
  if (first !== undefined && (first < 1 || first > 65535))
    invalidValue(errors, `${path}.port`, first, 'must be between 1 and 65535, inclusive')
  if (last === undefined) return
  if (port === undefined) return invalidValue(errors, at, last, 'may not be specified when `port` is not specified')
  if (first !== undefined && last < first) invalidValue(errors, at, last, 'must be greater than or equal to `port`')
  if (last < 1 || last > 65535) invalidValue(errors, at, last, 'must be between 1 and 65535, inclusive')
}

function checkIngress(spec: JsonObject, path: string, errors: FieldError[], below: Below): void {
  const { rules, defaultBackend, ingressClassName } = spec
  if (listOf(rules).length === 0 && defaultBackend === undefined)
    invalidValue(errors, path, objectOf(asGiven(spec)).rules, 'either `defaultBackend` or `rules` must be specified')
  for (const field of ['defaultBackend', 'rules', 'tls']) below(field)
  if (typeof ingressClassName === 'string') {
    const why = subdomainError(ingressClassName)
    if (why !== undefined) invalidValue(errors, `${path}.ingressClassName`, ingressClassName, why)
  }
}

function checkPath(value: JsonObject, path: string, errors: FieldError[], below: Below): void {
  if (typeof value.pathType !== 'string') return required(errors, `${path}.pathType`, 'pathType must be specified')
  checkPathText(value, path, errors)
  below('backend')
}

function checkPathText({ path: given, pathType }: JsonObject, path: string, errors: FieldError[]): void {
  const at = `${path}.path`
  const text = stringOf(given)
  if (pathType !== 'Exact' && pathType !== 'Prefix' && pathType !== 'ImplementationSpecific')
    return unsupported(errors, `${path}.pathType`, pathType, ['Exact', 'ImplementationSpecific', 'Prefix'])
  if (pathType === 'ImplementationSpecific' && text === '') return
  if (!text.startsWith('/')) invalidValue(errors, at, text, 'must be an absolute path')
  if (pathType === 'ImplementationSpecific') return
  for (const sequence of ['//', '/./', '/../', '%2f', '%2F'])
    if (text.includes(sequence)) invalidValue(errors, at, text, `must not contain '${sequence}'`)
  for (const suffix of ['/..', '/.'])
    if (text.endsWith(suffix)) invalidValue(errors, at, text, `cannot end with '${suffix}'`)
}

function checkBackend({ service, resource }: JsonObject, path: string, errors: FieldError[]): void {
  if (service !== undefined && resource !== undefined)
    return invalidValue(errors, path, '', 'cannot set both resource and service backends')
  if (isObject(resource)) {
    checkReference(resource, `${path}.resource`, errors)
    return
  }
  if (service === undefined) return invalidValue(errors, path, '', 'resource or service backend is required')
  const { name, port } = objectOf(service)
  const { name: portName, number } = objectOf(port)
  const why = labelError(stringOf(name))
  if (stringOf(name) === '') required(errors, `${path}.service.name`)
  else if (why !== undefined) invalidValue(errors, `${path}.service.name`, name, why)
  const hasName = stringOf(portName) !== ''
  const hasNumber = (numberOf(number) ?? 0) !== 0
  if (hasName && hasNumber) invalidValue(errors, path, '', 'cannot set both port name & port number')
  else if (hasName) invalidFor(errors, `${path}.service.port.name`, portName, portNameErrors(stringOf(portName)))
  else if (!hasNumber) required(errors, path, 'port name or number is required')
  else if ((numberOf(number) ?? 0) < 1 || (numberOf(number) ?? 0) > 65535)
    invalidValue(errors, `${path}.service.port.number`, number, 'must be between 1 and 65535, inclusive')
}

function checkParameters(
  { apiGroup, kind, name, scope, namespace }: JsonObject,
  path: string,
  errors: FieldError[],
): void {
  checkReference({ apiGroup, kind, name }, path, errors)
  const said = stringOf(scope)
  if (said !== 'Cluster' && said !== 'Namespace')
    return unsupported(errors, `${path}.scope`, said, ['Cluster', 'Namespace'])
  const why = typeof namespace === 'string' && said === 'Namespace' ? labelError(namespace) : undefined
  if (why !== undefined) invalidValue(errors, `${path}.namespace`, namespace, why)
  if (said === 'Namespace' && namespace === undefined)
    required(errors, `${path}.namespace`, "`parameters.scope` is set to 'Namespace'")
  if (said === 'Cluster' && namespace !== undefined)
    push(errors, `${path}.namespace`, 'Forbidden', "Forbidden: `parameters.scope` is set to 'Cluster'")
}

/** An object of any kind. */
function checkReference({ apiGroup, kind, name }: JsonObject, path: string, errors: FieldError[]): void {
  const group = typeof apiGroup === 'string' ? subdomainError(apiGroup) : undefined
  if (group !== undefined) invalidValue(errors, `${path}.apiGroup`, apiGroup, group)
  for (const [field, value] of Object.entries({ kind, name })) {
    const why = pathSegmentError(stringOf(value))
    if (stringOf(value) === '') required(errors, `${path}.${field}`)
    else if (why !== undefined) invalidValue(errors, `${path}.${field}`, value, why)
  }
}
