import { type JsonObject, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import {
  type Below,
  type Check,
  checkName,
  checkWord,
  duplicate,
  forbid,
  invalidFor,
  invalidValue,
  type Place,
  required,
} from '../fault-list.ts'
import { checkDevices, checkHostPorts, checkMounts } from './mount-checks.ts'
import { labelError } from '../../../../lib/kube/names.ts'
import { checkPort, portNameErrors } from '../ports.ts'
import { checkResizing, checkRestarts } from './restart-checks.ts'

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe']
const ONLY_SIDECARS = 'may not be set for init containers without restartPolicy=Always'

/** Checks of containers, in the order of the real server. @see k8s.io/kubernetes/pkg/apis/core/validation validateContainerCommon */
export const CONTAINER_CHECKS: Readonly<Record<string, Check>> = {
  'core.v1.Container': (container, path, errors, below, place) => {
    if (place === undefined) return
    checkCommon(container, path, errors, below, place)
    if (place.list === 'ephemeralContainers') checkImageEnds(container, path, errors)
    else checkOwnName(container, path, errors, place)
    if (place.list === 'initContainers') checkInit(container, path, errors, below, place)
    if (place.list !== 'containers') return
    for (const field of ['lifecycle', ...PROBES]) below(field)
    checkRestarts(container, path, place, errors)
  },
}

function checkCommon(container: JsonObject, path: string, errors: FieldError[], below: Below, place: Place): void {
  if (stringOf(container.name) === '') required(errors, `${path}.name`)
  else checkName(container.name, `${path}.name`, labelError, errors)
  if (stringOf(container.image) === '') required(errors, `${path}.image`)
  checkWord(
    container.terminationMessagePolicy,
    `${path}.terminationMessagePolicy`,
    ['File', 'FallbackToLogsOnError'],
    errors,
  )
  checkPorts(objectsOf(container.ports), `${path}.ports`, errors)
  for (const field of ['env', 'envFrom']) below(field)
  checkMounts(container, path, place, errors)
  checkDevices(container, path, place, errors)
  checkWord(container.imagePullPolicy, `${path}.imagePullPolicy`, ['Always', 'IfNotPresent', 'Never'], errors)
  below('resources')
  checkResizing(container.resizePolicy, `${path}.resizePolicy`, errors, place.pod)
  below('securityContext')
}

function checkPorts(ports: readonly JsonObject[], path: string, errors: FieldError[]): void {
  const names = new Set<string>()
  ports.forEach((port, index) => {
    const at = `${path}[${index}]`
    const name = stringOf(port.name)
    const reasons = name === '' ? [] : portNameErrors(name)
    invalidFor(errors, `${at}.name`, name, reasons)
    if (name !== '' && reasons.length === 0 && names.has(name)) duplicate(errors, `${at}.name`, name)
    names.add(name)
    if (port.containerPort === undefined || port.containerPort === 0) required(errors, `${at}.containerPort`)
    else checkPort(port.containerPort, `${at}.containerPort`, errors)
    if (port.hostPort !== 0) checkPort(port.hostPort, `${at}.hostPort`, errors)
    checkWord(port.protocol, `${at}.protocol`, PROTOCOLS, errors)
  })
}

/** Names are of one container alone: of a list, and of the list that is told before it. */
function checkOwnName(container: JsonObject, path: string, errors: FieldError[], { pod, list }: Place): void {
  const index = indexOf(path)
  const others = objectsOf(pod[list]).slice(0, index)
  if (list !== 'containers') others.push(...objectsOf(pod.containers))
  if (others.some(({ name }) => stringOf(name) === stringOf(container.name)))
    if (list === 'containers' || stringOf(container.name) !== '')
      duplicate(errors, `${path}.name`, stringOf(container.name))
}

const indexOf = (path: string): number => Number(/\[(\d+)\]$/.exec(path)?.[1] ?? 0)

function checkInit(container: JsonObject, path: string, errors: FieldError[], below: Below, place: Place): void {
  checkRestarts(container, path, place, errors)
  checkHostPorts([[path.replace(/\[\d+\]$/, '[0]'), container]], errors)
  const isSidecar = container.restartPolicy === 'Always'
  for (const field of ['lifecycle', ...PROBES])
    if (isSidecar) below(field)
    else if (container[field] !== undefined) forbid(errors, `${path}.${field}`, ONLY_SIDECARS)
  if (isSidecar) return
  objectsOf(container.resizePolicy).forEach(({ restartPolicy }, index) => {
    if (restartPolicy === 'RestartContainer')
      invalidValue(
        errors,
        `${path}.resizePolicy[${index}].restartPolicy`,
        restartPolicy,
        "must not be set to 'RestartContainer' for non-sidecar initContainers",
      )
  })
}

/** Images of pods, not of templates, may not begin or end with spaces. */
export function checkImageEnds({ image }: JsonObject, path: string, errors: FieldError[]): void {
  const text = stringOf(image)
  if (text !== text.trim()) invalidValue(errors, `${path}.image`, text, 'must not have leading or trailing whitespace')
}
