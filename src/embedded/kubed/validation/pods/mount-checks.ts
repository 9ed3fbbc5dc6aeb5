import { type JsonObject, objectOf, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { forbid, invalidValue, type Place, push, required, unsupported } from '../fault-list.ts'
import { checkDescending } from '../paths.ts'

const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None']
const RECURSIONS = ['Disabled', 'Enabled', 'IfPossible']

/** The mounts of one container. @see k8s.io/kubernetes/pkg/apis/core/validation ValidateVolumeMounts */
export function checkMounts(container: JsonObject, path: string, place: Place, errors: FieldError[]): void {
  const at = `${path}.volumeMounts`
  const devices = objectsOf(container.volumeDevices)
  const seen = new Set<string>()
  objectsOf(container.volumeMounts).forEach((mount, index) => {
    const here = `${at}[${index}]`
    const [name, mountPath] = [mount.name, mount.mountPath].map(stringOf)
    if (name === '') required(errors, `${here}.name`)
    checkIsVolume(name ?? '', here, place, errors)
    if (mountPath === '') required(errors, `${here}.mountPath`)
    if (seen.has(mountPath ?? '')) invalidValue(errors, `${here}.mountPath`, mountPath, 'must be unique')
    seen.add(mountPath ?? '')
    if (devices.some((each) => each.name === name))
      invalidValue(errors, `${here}.name`, name, 'must not already exist in volumeDevices')
    if (devices.some((each) => each.devicePath === mountPath))
      invalidValue(errors, `${here}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices')
    checkSubPaths(mount, at, here, errors)
    checkSharing(mount, container, at, errors)
  })
}

function checkIsVolume(name: string, path: string, { volumes }: Place, errors: FieldError[]): void {
  if (!volumes.has(name)) push(errors, `${path}.name`, 'NotFound', `Not found: ${JSON.stringify(name)}`)
}

/** The real server leaves the index out here. */
function checkSubPaths({ subPath, subPathExpr }: JsonObject, at: string, here: string, errors: FieldError[]): void {
  if (stringOf(subPath) !== '') checkDescending(stringOf(subPath), `${at}.subPath`, errors)
  if (stringOf(subPathExpr) === '') return
  if (stringOf(subPath) !== '')
    invalidValue(errors, `${here}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive')
  checkDescending(stringOf(subPathExpr), `${at}.subPathExpr`, errors)
}

function checkSharing(mount: JsonObject, container: JsonObject, at: string, errors: FieldError[]): void {
  const { mountPropagation: propagation, recursiveReadOnly: recursion, readOnly } = mount
  if (propagation !== undefined) {
    if (!PROPAGATIONS.includes(stringOf(propagation)))
      unsupported(errors, `${at}.mountPropagation`, propagation, PROPAGATIONS)
    if (propagation === 'Bidirectional' && objectOf(container.securityContext).privileged !== true)
      forbid(
        errors,
        `${at}.mountPropagation`,
        'Bidirectional mount propagation is available only to privileged containers',
      )
  }
  if (recursion === undefined || recursion === 'Disabled') return
  if (!RECURSIONS.includes(stringOf(recursion)))
    return unsupported(errors, `${at}.recursiveReadOnly`, recursion, RECURSIONS)
  if (readOnly !== true) forbid(errors, `${at}.recursiveReadOnly`, 'may only be specified when readOnly is true')
  if (propagation !== undefined && propagation !== 'None')
    forbid(errors, `${at}.recursiveReadOnly`, 'may only be specified when mountPropagation is None or not specified')
}

/** The raw block devices of one container. @see k8s.io/kubernetes/pkg/apis/core/validation ValidateVolumeDevices */
export function checkDevices(container: JsonObject, path: string, place: Place, errors: FieldError[]): void {
  const mounts = objectsOf(container.volumeMounts)
  const [names, paths] = [new Set<string>(), new Set<string>()]
  objectsOf(container.volumeDevices).forEach((device, index) => {
    const here = `${path}.volumeDevices[${index}]`
    const [name, devicePath] = [stringOf(device.name), stringOf(device.devicePath)]
    const volume = place.volumes.get(name)
    if (name === '') required(errors, `${here}.name`)
    if (names.has(name)) invalidValue(errors, `${here}.name`, name, 'must be unique')
    if (volume !== undefined && !isBlock(volume))
      invalidValue(
        errors,
        `${here}.name`,
        name,
        'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
      )
    checkIsVolume(name, here, place, errors)
    if (devicePath === '') required(errors, `${here}.devicePath`)
    if (paths.has(devicePath)) invalidValue(errors, `${here}.devicePath`, devicePath, 'must be unique')
    if (devicePath.split('/').includes('..'))
      invalidValue(errors, `${here}.devicePath`, devicePath, "can not contain backsteps ('..')")
    else paths.add(devicePath)
    if (mounts.some((each) => each.name === name))
      invalidValue(errors, `${here}.name`, name, 'must not already exist in volumeMounts')
    if (mounts.some((each) => each.mountPath === devicePath))
      invalidValue(errors, `${here}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts')
    if (name !== '') names.add(name)
  })
}

const isBlock = ({ persistentVolumeClaim, ephemeral }: JsonObject): boolean =>
  persistentVolumeClaim !== undefined || ephemeral !== undefined

/** Ports of the host that are there twice in a list of containers. */
export function checkHostPorts(
  containers: readonly (readonly [path: string, container: JsonObject])[],
  errors: FieldError[],
): void {
  const seen = new Set<string>()
  for (const [path, { ports }] of containers)
    objectsOf(ports).forEach(({ protocol, hostIP, hostPort }, index) => {
      if (typeof hostPort !== 'number' || hostPort === 0) return
      const port = `${stringOf(protocol)}/${stringOf(hostIP)}/${hostPort}`
      if (seen.has(port))
        push(errors, `${path}.ports[${index}].hostPort`, 'Duplicate', `Duplicate value: ${JSON.stringify(port)}`)
      seen.add(port)
    })
}
