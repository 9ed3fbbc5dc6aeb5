import { APP_ARMOR, APP_ARMOR_DEPRECATED, profileOfAnnotation } from '../../../lib/kube/app-armor.ts'
import {
  equal,
  isObject,
  type Json,
  type JsonObject,
  listOf,
  numberOf,
  objectOf,
  objectsOf,
  stringOf,
} from '../../../lib/kube/json.ts'
import { labelValueErrors } from '../../../lib/kube/names.ts'
import { isQuantityError, parseQuantity } from '../../../lib/kube/quantity.ts'
import { ofPodAddresses } from './addresses.ts'
import { warningsOfPaths } from './volume-paths.ts'
import { own } from '../../../lib/value/own.ts'

/** Labels of nodes that have a successor. @see k8s.io/kubernetes/pkg/api/node */
export const OLD_LABELS: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  'app.kubernetes.io/created-by': 'deprecated since v1.9',
  'scheduler.alpha.kubernetes.io/preferAvoidPods': 'deprecated since v1.22; use Taints and Tolerations instead',
  'node-role.kubernetes.io/master': 'use "node-role.kubernetes.io/control-plane" instead',
}
const OLD_ANNOTATIONS: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
}
/** Sources of volumes that have gone, by their field, and by the name that the server gives it where that is another. */
export const OLD_SOURCES: Readonly<Record<string, { readonly text: string; readonly name?: string }>> = {
  photonPersistentDisk: { text: 'deprecated in v1.11, non-functional in v1.16+' },
  gitRepo: { text: 'deprecated in v1.11, and disabled by default in v1.33+' },
  scaleIO: { text: 'deprecated in v1.16, non-functional in v1.22+' },
  flocker: { text: 'deprecated in v1.22, non-functional in v1.25+' },
  storageos: { text: 'deprecated in v1.22, non-functional in v1.25+', name: 'storageOS' },
  quobyte: { text: 'deprecated in v1.22, non-functional in v1.25+' },
  glusterfs: { text: 'deprecated in v1.25, non-functional in v1.26+' },
  cephfs: { text: 'deprecated in v1.28, non-functional in v1.31+' },
  rbd: { text: 'deprecated in v1.28, non-functional in v1.31+' },
}
const IN_BYTES = ['memory', 'ephemeral-storage']

/**
 * What is accepted in a pod, or in the template of pods, and does harm or nothing. `path` is that of the template, '' for a pod.
 *
 * @see k8s.io/kubernetes/pkg/api/pod/warnings.go
 */
export function warningsOfPod({ metadata, spec }: JsonObject, path: string): string[] {
  const at = (field: string): string => (path === '' ? field : `${path}.${field}`)
  const pod = objectOf(spec)
  const annotations = objectOf(objectOf(metadata).annotations)
  const containers = containersOf(pod, at('spec'))
  return [
    ...ofScheduling(pod, at('spec')),
    ...Object.entries(OLD_ANNOTATIONS)
      .filter(([key]) => annotations[key] !== undefined)
      .map(([key, text]) => `${at('metadata.annotations')}[${key}]: ${text}`),
    ...objectsOf(pod.volumes).flatMap((volume, index) => ofVolume(volume, `${at('spec.volumes')}[${index}]`)),
    ...objectsOf(pod.volumes).flatMap(warningsOfPaths),
    ...repeated(pod.hostAliases, 'ip', at('spec.hostAliases'), 'duplicate ip'),
    ...repeated(pod.imagePullSecrets, 'name', at('spec.imagePullSecrets'), 'duplicate name'),
    ...objectsOf(pod.imagePullSecrets)
      .map(({ name }, index) =>
        stringOf(name) === '' ? `${at('spec.imagePullSecrets')}[${index}].name: invalid empty name ""` : '',
      )
      .filter((text) => text !== ''),
    ...fractions(objectOf(pod.overhead), IN_BYTES, at('spec.overhead')),
    ...ofProfiles(pod, annotations, at('metadata.annotations')),
    ...containers.flatMap(([container, here]) => [
      ...ofContainerProfiles(container, pod, annotations, path),
      ...ofContainer(container, here),
    ]),
    ...ofPorts(containers),
    ...((numberOf(pod.terminationGracePeriodSeconds) ?? 0) < 0
      ? [
          `${at('spec.terminationGracePeriodSeconds')}: must be >= 0; negative values are invalid and will be treated as 1`,
        ]
      : []),
    ...ofAffinity(objectOf(pod.affinity), at('spec.affinity')),
    ...ofPodAddresses(pod, at('spec')),
  ]
}

type Placed = readonly [container: JsonObject, path: string]

function containersOf(spec: JsonObject, path: string): Placed[] {
  return ['initContainers', 'containers', 'ephemeralContainers'].flatMap((list) =>
    objectsOf(spec[list]).map((container, index): Placed => [container, `${path}.${list}[${index}]`]),
  )
}

function ofScheduling(spec: JsonObject, path: string): string[] {
  const { requiredDuringSchedulingIgnoredDuringExecution: required, ...rest } = objectOf(
    objectOf(spec.affinity).nodeAffinity,
  )
  const preferred = objectsOf(rest.preferredDuringSchedulingIgnoredDuringExecution)
  const node = `${path}.affinity.nodeAffinity`
  return [
    ...Object.keys(objectOf(spec.nodeSelector))
      .filter((label) => own(OLD_LABELS, label) !== undefined)
      .map((label) => `${path}.nodeSelector[${label}]: ${own(OLD_LABELS, label)}`),
    ...objectsOf(objectOf(required).nodeSelectorTerms).flatMap((term, index) =>
      ofTerm(term, `${node}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${index}]`),
    ),
    ...preferred.flatMap(({ preference }, index) =>
      ofTerm(
        objectOf(preference),
        `${node}.preferredDuringSchedulingIgnoredDuringExecution[${index}].preference`,
        true,
      ),
    ),
    ...objectsOf(spec.topologySpreadConstraints).flatMap(({ topologyKey, labelSelector }, index) => {
      const here = `${path}.topologySpreadConstraints[${index}]`
      const old = own(OLD_LABELS, stringOf(topologyKey))
      return [
        ...(old === undefined ? [] : [`${here}.topologyKey: ${stringOf(topologyKey)} is ${old}`]),
        ...(labelSelector === undefined ? [`${here}.labelSelector: ${NO_POD}`] : []),
      ]
    }),
  ]
}

const NO_POD = 'a null labelSelector results in matching no pod'

/** Values that no node can have are refused where they are required; where they are preferred they are only told. */
export function ofTerm({ matchExpressions }: JsonObject, path: string, isPreferred = false): string[] {
  return objectsOf(matchExpressions).flatMap(({ key, values }, index) => {
    const here = `${path}.matchExpressions[${index}]`
    const old = own(OLD_LABELS, stringOf(key))
    const bad = (isPreferred ? listOf(values).map(stringOf) : []).flatMap((value, at) =>
      labelValueErrors(value).map((why) => `${here}.values[${at}]: ${value} is invalid, ${why}`),
    )
    return [...(old === undefined ? [] : [`${here}.key: ${stringOf(key)} is ${old}`]), ...bad]
  })
}

function ofVolume(volume: JsonObject, path: string): string[] {
  const old = Object.entries(OLD_SOURCES).filter(([source]) => volume[source] !== undefined)
  const claim = objectOf(objectOf(objectOf(objectOf(volume.ephemeral).volumeClaimTemplate).spec).resources)
  const ofClaim = (field: 'requests' | 'limits'): string[] =>
    fractions(objectOf(claim[field]), ['storage'], `${path}.ephemeral.volumeClaimTemplate.spec.resources.${field}`)
  return [
    ...old.map(([source, { name = source, text }]) => `${path}.${name}: ${text}`),
    ...ofClaim('requests'),
    ...ofClaim('limits'),
  ]
}

function repeated(list: Json | undefined, key: string, path: string, text: string): string[] {
  const seen = new Set<string>()
  return objectsOf(list).flatMap((item, index) => {
    const value = stringOf(item[key])
    if (seen.has(value)) return [`${path}[${index}].${key}: ${text} ${JSON.stringify(value)}`]
    seen.add(value)
    return []
  })
}

/** What is said of amounts that are counted in whole bytes and are none. */
export function fractions(resources: JsonObject, names: readonly string[], path: string): string[] {
  return names.flatMap((name) => {
    const quantity = parseQuantity(stringOf(resources[name]) || '0')
    if (isQuantityError(quantity) || quantity.nano % 1_000_000_000n === 0n) return []
    return [`${path}[${name}]: fractional byte value ${JSON.stringify(quantity.text)} is invalid, must be an integer`]
  })
}

const POD_SECCOMP = 'seccomp.security.alpha.kubernetes.io/pod'
const SECCOMP = 'container.seccomp.security.alpha.kubernetes.io/'
const SECCOMP_GONE = 'non-functional in v1.27+; use the "seccompProfile" field instead'

const ofProfiles = (pod: JsonObject, annotations: JsonObject, path: string): string[] =>
  annotations[POD_SECCOMP] !== undefined && objectOf(pod.securityContext).seccompProfile === undefined
    ? [`${path}[${POD_SECCOMP}]: ${SECCOMP_GONE}`]
    : []

/** A pod's own AppArmor annotations are written into its fields, and told of then; those of a template stay. */
function ofContainerProfiles(
  { name, securityContext }: JsonObject,
  pod: JsonObject,
  annotations: JsonObject,
  template: string,
): string[] {
  const context = objectOf(securityContext)
  const [seccomp, appArmor] = [SECCOMP, APP_ARMOR].map((prefix) => `${prefix}${stringOf(name)}`) as [string, string]
  const at = (key: string, why: string): string =>
    `${template === '' ? '' : `${template}.`}metadata.annotations[${key}]: ${why}`
  const profile = annotations[appArmor]
  const whole = objectOf(pod.securityContext).appArmorProfile
  const isTold =
    template !== '' &&
    profile !== undefined &&
    context.appArmorProfile === undefined &&
    !(isObject(whole) && equal(whole, profileOfAnnotation(stringOf(profile)) ?? null))
  return [
    ...(annotations[seccomp] !== undefined && context.seccompProfile === undefined ? [at(seccomp, SECCOMP_GONE)] : []),
    ...(isTold ? [at(appArmor, APP_ARMOR_DEPRECATED)] : []),
  ]
}

function ofContainer({ resources, env }: JsonObject, path: string): string[] {
  const { limits, requests } = objectOf(resources)
  const bytes = IN_BYTES.flatMap((name) => [
    ...fractions(objectOf(limits), [name], `${path}.resources.limits`),
    ...fractions(objectOf(requests), [name], `${path}.resources.requests`),
  ])
  const seen = new Set<string>()
  const hidden = objectsOf(env).flatMap(({ name, value, valueFrom }, index) => {
    const text = stringOf(name)
    const reference = `$(${text})`
    const extends_ = valueFrom === undefined && value !== reference && stringOf(value).includes(reference)
    if (!seen.has(text)) {
      seen.add(text)
      return []
    }
    return extends_
      ? []
      : [
          `${path}.env[${index}]: hides previous definition of ${JSON.stringify(text)}, which may be dropped when using apply`,
        ]
  })
  return [...bytes, ...hidden]
}

type PlacedPort = { readonly port: JsonObject; readonly path: string }

function ofPorts(containers: readonly Placed[]): string[] {
  const ports = containers.flatMap(([{ ports: list }, path]) =>
    objectsOf(list).map((port, index): PlacedPort => ({ port, path: `${path}.ports[${index}]` })),
  )
  const clashes = ports.flatMap((one, index) => [
    ...unbound(one),
    ...ports
      .slice(0, index)
      .filter(({ port }) => port.containerPort === one.port.containerPort && port.protocol === one.port.protocol)
      .flatMap((other) => clash(one, other)),
  ])
  const names = ports.flatMap(({ port, path }, index) => {
    const first = ports.slice(0, index).find((other) => other.port.name === port.name)
    if (stringOf(port.name) === '' || first === undefined) return []
    return [
      `${path}: duplicate port name ${JSON.stringify(port.name)} with ${first.path}, services and probes that select ports by name will use ${first.path}`,
    ]
  })
  return [...clashes, ...names]
}

function unbound({ port, path }: PlacedPort): string[] {
  const ip = stringOf(port.hostIP)
  if (ip === '' || (numberOf(port.hostPort) ?? 0) !== 0) return []
  const [name, protocol] = [port.name, port.protocol].map(stringOf)
  const told = `{Name:${name} HostPort:0 ContainerPort:${numberOf(port.containerPort) ?? 0} Protocol:${protocol} HostIP:${ip}}`
  return [`${path}: hostIP set without hostPort: ${told}`]
}

function clash(one: PlacedPort, other: PlacedPort): string[] {
  const hostPort = ({ port }: PlacedPort): number => numberOf(port.hostPort) ?? 0
  const hostIP = ({ port }: PlacedPort): string => stringOf(port.hostIP)
  const isSamePort = hostPort(one) === hostPort(other)
  if (isSamePort && hostIP(one) === hostIP(other)) return [`${one.path}: duplicate port definition with ${other.path}`]
  if (hostPort(one) === 0 || hostPort(other) === 0)
    return [`${one.path}: overlapping port definition with ${other.path}`]
  if (isSamePort && (hostIP(one) === '') !== (hostIP(other) === ''))
    return [`${one.path}: dangerously ambiguous port definition with ${other.path}`]
  return []
}

function ofAffinity(affinity: JsonObject, path: string): string[] {
  return ['podAffinity', 'podAntiAffinity'].flatMap((kind) => {
    const { requiredDuringSchedulingIgnoredDuringExecution: required, ...rest } = objectOf(affinity[kind])
    const here = `${path}.${kind}`
    return [
      ...objectsOf(required).flatMap(({ labelSelector }, index) =>
        labelSelector === undefined
          ? [`${here}.requiredDuringSchedulingIgnoredDuringExecution[${index}].labelSelector: ${NO_POD}`]
          : [],
      ),
      ...listOf(rest.preferredDuringSchedulingIgnoredDuringExecution).flatMap((term, index) => {
        const inner = isObject(term) ? objectOf(term.podAffinityTerm) : {}
        return inner.labelSelector === undefined
          ? [
              `${here}.preferredDuringSchedulingIgnoredDuringExecution[${index}].podAffinityTerm.labelSelector: ${NO_POD}`,
            ]
          : []
      }),
    ]
  })
}
