import { internalForm } from '../../../../lib/kube-schema/go-types.ts'
import {
  isObject,
  type Json,
  type JsonObject,
  listOf,
  objectOf,
  objectsOf,
  stringOf,
} from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { checkAddress, checkNetworkText } from '../addresses.ts'
import { checkProfilesAgree } from './annotation-checks.ts'
import { checkImageEnds } from './container-checks.ts'
import { checkFileVolumes } from './env-checks.ts'
import { checkEphemeral } from './ephemeral-checks.ts'
import {
  type Below,
  type Check,
  checkName,
  checkRange,
  checkWord,
  duplicate,
  forbid,
  invalidFor,
  invalidValue,
  push,
  required,
  unsupported,
} from '../fault-list.ts'
import { checkLabels } from '../meta.ts'
import { checkHostPorts } from './mount-checks.ts'
import { labelError, labelKeyErrors, labelValueErrors, subdomainError } from '../../../../lib/kube/names.ts'
import { checkSpreads } from './placement-checks.ts'
import { checkWholePod } from './resource-checks.ts'
import { checkPodContext } from './security-checks.ts'
import { soundVolumes } from './volume-source-checks.ts'
import { checkHostProcesses, checkSystem } from './windows-checks.ts'

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']
const MOST_NAMESERVERS = 3
const MOST_SEARCHES = 32
const SEARCH = /^_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$/
const NO_SEARCH =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')"

/** Checks of what a pod says beside its containers and volumes. @see k8s.io/kubernetes/pkg/apis/core/validation ValidatePodSpec */
export const POD_CHECKS: Readonly<Record<string, Check>> = {
  'core.v1.PodSpec': checkPod,
  'core.v1.Toleration': checkToleration,
  'core.v1.NodeSpec': ({ taints, podCIDRs }, path, errors) => {
    checkTaints(objectsOf(taints), errors)
    const networks = listOf(podCIDRs)
    networks.forEach((each, index) => checkNetworkText(each, `${path}.podCIDRs[${index}]`, errors))
    const families = new Set(networks.map((each) => stringOf(each).includes(':')))
    if (networks.length > 1 && families.size !== networks.length)
      invalidValue(errors, `${path}.podCIDRs`, networks, 'may specify no more than one CIDR for each IP family')
  },
  'core.v1.HostAlias': ({ ip, hostnames }, path, errors) => {
    checkAddress(ip, `${path}.ip`, errors)
    listOf(hostnames).forEach((name, index) => {
      const why = subdomainError(stringOf(name))
      if (why !== undefined) invalidValue(errors, `${path}.hostnames[${index}]`, name, why)
    })
  },
}

/** Taints are told of as if they were metadata; each pair of key and effect is there once. */
function checkTaints(taints: readonly JsonObject[], errors: FieldError[]): void {
  taints.forEach((taint, index) => {
    const at = `metadata.taints[${index}]`
    const { key, effect } = taint
    invalidFor(errors, `${at}.key`, stringOf(key), labelKeyErrors(stringOf(key)))
    const reasons = labelValueErrors(stringOf(taint.value))
    if (reasons.length > 0) invalidValue(errors, `${at}.value`, taint.value, reasons.join(';'))
    checkEffect(effect, `${at}.effect`, errors)
    if (!taints.slice(0, index).some((each) => each.key === key && each.effect === effect)) return
    const printed = JSON.stringify(internalForm('core/Taint', taint))
    push(errors, at, 'Duplicate', `Duplicate value: ${printed}: taints must be unique by key and effect pair`)
  })
}

const RESTARTS = ['Always', 'OnFailure', 'Never']
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']
const LISTS = ['containers', 'initContainers', 'ephemeralContainers'] as const
const LONGEST_DEADLINE_SECONDS = 2_147_483_647

/** All of a pod, in the order of the real server. */
function checkPod(spec: JsonObject, path: string, errors: FieldError[], below: Below): void {
  if (spec.terminationGracePeriodSeconds === undefined) required(errors, `${path}.terminationGracePeriodSeconds`)
  checkContents(spec, path, errors, below)
  checkHostNetwork(spec, path, errors)
  checkWord(spec.restartPolicy, `${path}.restartPolicy`, RESTARTS, errors)
  checkWord(spec.dnsPolicy, `${path}.dnsPolicy`, DNS_POLICIES, errors)
  checkLabels(spec.nodeSelector, `${path}.nodeSelector`, errors)
  checkPodContext(spec, `${path}.securityContext`, errors, below)
  if (spec.shareProcessNamespace === true && spec.hostPID === true)
    invalidValue(
      errors,
      `${path}.shareProcessNamespace`,
      true,
      'ShareProcessNamespace and HostPID cannot both be enabled',
    )
  below('affinity')
  checkDns(spec, `${path}.dnsConfig`, errors)
  objectsOf(spec.readinessGates).forEach(({ conditionType }, index) => {
    const type = stringOf(conditionType)
    invalidFor(errors, `${path}.readinessGates[${index}].conditionType`, type, labelKeyErrors(type))
  })
  checkGates(objectsOf(spec.schedulingGates), `${path}.schedulingGates`, errors)
  checkSpreads(objectsOf(spec.topologySpreadConstraints), `${path}.topologySpreadConstraints`, errors)
  below('topologySpreadConstraints')
  checkHostProcesses(spec, path, errors)
  checkHostUsers(spec, path, errors)
  checkNames(spec, path, errors)
  for (const field of ['tolerations', 'hostAliases']) below(field)
  checkClasses(spec, path, errors, below)
}

/** Volumes first: what is wrong with one makes its mounts wrong, too. */
function checkContents(spec: JsonObject, path: string, errors: FieldError[], below: Below): void {
  const before = errors.length
  below('volumes')
  const sound = soundVolumes(objectsOf(spec.volumes), `${path}.volumes`, errors.splice(before), errors)
  checkClaims(objectsOf(spec.resourceClaims), `${path}.resourceClaims`, errors)
  if (listOf(spec.containers).length === 0) required(errors, `${path}.containers`)
  for (const list of LISTS) {
    below(list, { pod: spec, list, volumes: sound })
    if (list === 'containers') checkHostPorts(containersOf(spec, path, [list]), errors)
  }
  checkEphemeral(spec, path, errors)
  if (isObject(spec.resources)) checkWholePod(spec, `${path}.resources`, errors, below)
}

const containersOf = (spec: JsonObject, path: string, lists: readonly string[]): [string, JsonObject][] =>
  lists.flatMap((list) =>
    objectsOf(spec[list]).map((each, index): [string, JsonObject] => [`${path}.${list}[${index}]`, each]),
  )

function checkClaims(claims: readonly JsonObject[], path: string, errors: FieldError[]): void {
  const names = new Set<string>()
  claims.forEach((claim, index) => {
    const at = `${path}[${index}]`
    const name = stringOf(claim.name)
    if (name === '') required(errors, `${at}.name`)
    else if (names.has(name)) duplicate(errors, `${at}.name`, name)
    else checkName(name, `${at}.name`, labelError, errors)
    names.add(name)
    const count = [claim.resourceClaimName, claim.resourceClaimTemplateName].filter((each) => each !== undefined).length
    if (count !== 1)
      invalidValue(
        errors,
        at,
        internalForm('core/PodResourceClaim', claim),
        count === 0
          ? 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'
          : 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified',
      )
    for (const field of ['resourceClaimName', 'resourceClaimTemplateName'])
      checkName(claim[field], `${at}.${field}`, subdomainError, errors)
  })
}

/** On the network of the host the ports of containers are ports of the host. Templates may leave it open. */
function checkHostNetwork(spec: JsonObject, path: string, errors: FieldError[]): void {
  if (spec.hostNetwork !== true) return
  for (const [at, { ports }] of containersOf(spec, path, ['containers']))
    objectsOf(ports).forEach(({ hostPort = 0, containerPort = 0 }, index) => {
      if ((path === 'spec' || hostPort !== 0) && hostPort !== containerPort)
        invalidValue(
          errors,
          `${at}.ports[${index}].hostPort`,
          hostPort,
          'must match `containerPort` when `hostNetwork` is true',
        )
    })
}

/** Users of a pod's own do not go with other namespaces of the host. */
function checkHostUsers(spec: JsonObject, path: string, errors: FieldError[]): void {
  if (spec.hostUsers !== false) return
  if (spec.hostNetwork === true) forbid(errors, `${path}.hostNetwork`, 'when `hostUsers` is false')
  if (spec.hostPID === true) forbid(errors, `${path}.HostPID`, 'when `hostUsers` is false')
  if (spec.hostIPC === true) forbid(errors, `${path}.HostIPC`, 'when `hostUsers` is false')
  for (const [at, { volumeDevices }] of containersOf(spec, path, ['initContainers', 'containers']))
    if (listOf(volumeDevices).length > 0) forbid(errors, `${at}.volumeDevices`, 'when `hostUsers` is false')
}

function checkNames(spec: JsonObject, path: string, errors: FieldError[]): void {
  const { hostnameOverride, activeDeadlineSeconds } = spec
  const at = `${path}.hostnameOverride`
  if (hostnameOverride !== undefined) {
    if (spec.setHostnameAsFQDN === true) forbid(errors, at, 'may not be specified when setHostnameAsFQDN is true')
    if (spec.hostNetwork === true) forbid(errors, at, 'may not be specified when hostNetwork is true')
    if (stringOf(hostnameOverride).length > 64)
      errors.push({ field: at, type: 'TooLong', message: 'Too long: may not be more than 64 bytes' })
    checkName(hostnameOverride, at, subdomainError, errors)
  }
  const optional = (field: string, test: typeof labelError): void => {
    if (spec[field] !== '') checkName(spec[field], `${path}.${field}`, test, errors)
  }
  optional('serviceAccountName', subdomainError)
  optional('nodeName', subdomainError)
  checkRange(activeDeadlineSeconds, `${path}.activeDeadlineSeconds`, errors, LONGEST_DEADLINE_SECONDS, 1)
  optional('hostname', labelError)
  optional('subdomain', labelError)
}

function checkClasses(spec: JsonObject, path: string, errors: FieldError[], below: Below): void {
  if (spec.priorityClassName !== '')
    checkName(spec.priorityClassName, `${path}.priorityClassName`, subdomainError, errors)
  checkName(spec.runtimeClassName, `${path}.runtimeClassName`, subdomainError, errors)
  checkPreemption(spec.preemptionPolicy, `${path}.preemptionPolicy`, errors)
  below('overhead')
  if (isObject(spec.os)) {
    const name = stringOf(spec.os.name)
    if (name === '') required(errors, `${path}.os.name`)
    else if (name !== 'linux' && name !== 'windows') unsupported(errors, `${path}.os`, name, ['linux', 'windows'])
    else checkSystem(spec, path, errors)
  }
  checkFileVolumes(containersOf(spec, path, ['initContainers', 'containers']), objectsOf(spec.volumes), errors)
  if (path !== 'spec') return
  for (const [at, container] of containersOf(spec, path, ['containers', 'initContainers']))
    checkImageEnds(container, at, errors)
}

/** Whether a pod may push others aside. */
export function checkPreemption(policy: Json | undefined, path: string, errors: FieldError[]): void {
  if (policy === '') required(errors, path)
  else if (policy !== undefined && policy !== 'Never' && policy !== 'PreemptLowerPriority')
    unsupported(errors, path, policy, ['PreemptLowerPriority', 'Never'])
}

function checkGates(gates: readonly JsonObject[], path: string, errors: FieldError[]): void {
  gates.forEach(({ name }, index) => {
    invalidFor(errors, `${path}[${index}]`, stringOf(name), labelKeyErrors(stringOf(name)))
    if (gates.findIndex((each) => each.name === name) < index) duplicate(errors, `${path}[${index}]`, name)
  })
}

function checkDns({ dnsPolicy, dnsConfig }: JsonObject, path: string, errors: FieldError[]): void {
  const { nameservers, searches, options } = objectOf(dnsConfig)
  const servers = listOf(nameservers)
  if (dnsPolicy === 'None' && dnsConfig === undefined)
    return required(errors, path, 'must provide `dnsConfig` when `dnsPolicy` is None')
  if (dnsPolicy === 'None' && servers.length === 0)
    return required(errors, `${path}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None')
  if (servers.length > MOST_NAMESERVERS)
    invalidValue(errors, `${path}.nameservers`, servers, `must not have more than ${MOST_NAMESERVERS} nameservers`)
  servers.forEach((server, index) => void checkAddress(server, `${path}.nameservers[${index}]`, errors))
  if (listOf(searches).length > MOST_SEARCHES)
    invalidValue(errors, `${path}.searches`, searches, `must not have more than ${MOST_SEARCHES} search paths`)
  listOf(searches).forEach((search, index) => {
    const name = stringOf(search).replace(/\.$/, '')
    if (search !== '.' && !SEARCH.test(name)) invalidValue(errors, `${path}.searches[${index}]`, name, NO_SEARCH)
  })
  objectsOf(options).forEach(({ name }, index) => {
    if (stringOf(name) === '') required(errors, `${path}.options[${index}]`, 'must not be empty')
  })
}

function checkToleration(toleration: JsonObject, path: string, errors: FieldError[]): void {
  const { effect, tolerationSeconds } = toleration
  const [key, operator, value] = [toleration.key, toleration.operator, toleration.value].map(stringOf)
  if (key !== '') invalidFor(errors, `${path}.key`, key, labelKeyErrors(key ?? ''))
  if (key === '' && operator !== 'Exists')
    invalidValue(
      errors,
      `${path}.operator`,
      operator,
      'operator must be Exists when `key` is empty, which means "match all values and all keys"',
    )
  if (tolerationSeconds !== undefined && effect !== 'NoExecute')
    invalidValue(
      errors,
      `${path}.effect`,
      stringOf(effect),
      "effect must be 'NoExecute' when `tolerationSeconds` is set",
    )
  const reasons = labelValueErrors(value ?? '')
  if (operator === '' || operator === 'Equal') {
    if (reasons.length > 0) invalidValue(errors, `${path}.operator`, value, reasons.join(';'))
  } else if (operator === 'Exists') {
    if (value !== '') invalidValue(errors, `${path}.operator`, value, "value must be empty when `operator` is 'Exists'")
  } else unsupported(errors, `${path}.operator`, operator, ['Equal', 'Exists'])
  if (stringOf(effect) !== '') checkEffect(effect, `${path}.effect`, errors)
}

function checkEffect(effect: Json | undefined, path: string, errors: FieldError[]): void {
  if (stringOf(effect) === '') required(errors, path)
  else if (!EFFECTS.includes(stringOf(effect))) unsupported(errors, path, effect, EFFECTS)
}

/** Faults that only a new pod can have. */
export function checkNewPod(pod: JsonObject, errors: FieldError[]): void {
  const { ephemeralContainers, nodeName, schedulingGates, serviceAccountName, volumes } = objectOf(pod.spec)
  if (stringOf(serviceAccountName) === '')
    objectsOf(volumes).forEach(({ projected }, volume) =>
      objectsOf(objectOf(projected).sources).forEach(({ serviceAccountToken }, index) => {
        if (serviceAccountToken !== undefined)
          forbid(
            errors,
            `spec.volumes[${volume}].projected.sources[${index}].serviceAccountToken`,
            'must not be specified when serviceAccountName is not set',
          )
      }),
    )
  if (listOf(ephemeralContainers).length > 0) forbid(errors, 'spec.ephemeralContainers', 'cannot be set on create')
  if (stringOf(nodeName) !== '' && listOf(schedulingGates).length > 0)
    forbid(errors, 'spec.nodeName', 'cannot be set until all schedulingGates have been cleared')
  checkProfilesAgree(pod, 'spec', errors)
}
