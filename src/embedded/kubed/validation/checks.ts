import { isObject, type Json, type JsonObject, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { isQuantityError, parseQuantity } from '../../../lib/kube/quantity.ts'
import { matchSelector } from '../../../lib/kube/selector.ts'
import type { FieldError } from '../fault.ts'
import { BATCH_CHECKS } from './batch-checks.ts'
import { type Check, push } from './fault-list.ts'
import { NETWORKING_CHECKS } from './networking-checks.ts'
import { RBAC_CHECKS } from './rbac-checks.ts'
import { checkDaemonStrategy, checkStatefulStrategy } from './strategy-checks.ts'
import { VOLUME_CHECKS } from './volume-checks.ts'

/** What rules as data cannot say, by definition. */
export const CHECKS: Readonly<Record<string, Check>> = {
  ...NETWORKING_CHECKS,
  ...RBAC_CHECKS,
  ...VOLUME_CHECKS,
  ...BATCH_CHECKS,
  'core.v1.PodSpec': (spec, path, errors) => {
    const names = new Set<Json | undefined>()
    for (const list of ['containers', 'initContainers'])
      objectsOf(spec[list]).forEach(({ name }, index) => {
        if (names.has(name))
          push(errors, `${path}.${list}[${index}].name`, 'Duplicate', `Duplicate value: ${JSON.stringify(name)}`)
        names.add(name)
      })
    const volumes = new Set<Json | undefined>()
    objectsOf(spec.volumes).forEach(({ name }, index) => {
      if (volumes.has(name))
        push(errors, `${path}.volumes[${index}].name`, 'Duplicate', `Duplicate value: ${JSON.stringify(name)}`)
      volumes.add(name)
    })
    checkMounts(spec, path, volumes, errors)
  },
  'core.v1.Volume': (volume, path, errors) => {
    const sources = Object.keys(volume).filter((field) => field !== 'name')
    for (const source of sources.slice(1))
      push(errors, `${path}.${source}`, 'Forbidden', 'Forbidden: may not specify more than 1 volume type')
  },
  'core.v1.EnvVar': ({ value, valueFrom }, path, errors) => {
    if (valueFrom === undefined) return
    if (Object.keys(objectOf(valueFrom)).length === 0)
      push(
        errors,
        `${path}.valueFrom`,
        'Invalid',
        'Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      )
    else if (typeof value === 'string' && value !== '')
      push(errors, `${path}.valueFrom`, 'Invalid', 'Invalid value: "": may not be specified when `value` is not empty')
  },
  'core.v1.Probe': (probe, path, errors) => {
    const handlers = ['exec', 'httpGet', 'tcpSocket', 'grpc'].filter((each) => probe[each] !== undefined)
    if (handlers.length === 0) push(errors, path, 'Required', 'Required value: must specify a handler type')
    for (const extra of handlers.slice(1))
      push(errors, `${path}.${extra}`, 'Forbidden', 'Forbidden: may not specify more than 1 handler type')
    if (
      /(liveness|startup)Probe$/.test(path) &&
      typeof probe.successThreshold === 'number' &&
      probe.successThreshold !== 1
    )
      push(errors, `${path}.successThreshold`, 'Invalid', `Invalid value: ${probe.successThreshold}: must be 1`)
  },
  'core.v1.HTTPGetAction': ({ port }, path, errors) => checkPort(port, `${path}.port`, errors),
  'core.v1.TCPSocketAction': ({ port }, path, errors) => checkPort(port, `${path}.port`, errors),
  'core.v1.ResourceRequirements': ({ limits, requests }, path, errors) => {
    for (const [name, request] of Object.entries(objectOf(requests))) {
      const limit = objectOf(limits)[name]
      const asked = parseQuantity(stringOf(request))
      const most = parseQuantity(stringOf(limit))
      if (limit === undefined || isQuantityError(asked) || isQuantityError(most) || asked.nano <= most.nano) continue
      push(
        errors,
        `${path}.requests`,
        'Invalid',
        `Invalid value: ${JSON.stringify(request)}: must be less than or equal to ${name} limit of ${stringOf(limit)}`,
      )
    }
  },
  'core.v1.ServiceSpec': (spec, path, errors) => {
    const ports = objectsOf(spec.ports)
    if (ports.length === 0 && spec.type !== 'ExternalName' && spec.clusterIP !== 'None')
      push(errors, `${path}.ports`, 'Required', 'Required value')
    ports.forEach((port, index) => {
      if (ports.length > 1 && stringOf(port.name) === '')
        push(errors, `${path}.ports[${index}].name`, 'Required', 'Required value')
      if (
        ports.findIndex((each) => each.name === port.name && each.name !== undefined) < index &&
        port.name !== undefined
      )
        push(errors, `${path}.ports[${index}].name`, 'Duplicate', `Duplicate value: ${JSON.stringify(port.name)}`)
      checkPort(port.targetPort, `${path}.ports[${index}].targetPort`, errors)
    })
    if (spec.type === 'ExternalName' && stringOf(spec.externalName) === '')
      push(errors, `${path}.externalName`, 'Required', 'Required value')
  },
  'apps.v1.DeploymentSpec': (spec, path, errors) => {
    checkSelector(spec, path, errors, 'deployment')
    const { progressDeadlineSeconds: deadline, minReadySeconds: ready = 0 } = spec
    if (typeof deadline === 'number' && typeof ready === 'number' && deadline >= 0 && deadline <= ready)
      push(
        errors,
        `${path}.progressDeadlineSeconds`,
        'Invalid',
        `Invalid value: ${deadline}: must be greater than minReadySeconds`,
      )
    const { type, rollingUpdate } = objectOf(spec.strategy)
    if (type === 'Recreate' && rollingUpdate !== undefined)
      push(
        errors,
        `${path}.strategy.rollingUpdate`,
        'Forbidden',
        "Forbidden: may not be specified when strategy `type` is 'Recreate'",
      )
    else if (type !== 'RollingUpdate' && type !== 'Recreate')
      push(
        errors,
        `${path}.strategy`,
        'NotSupported',
        `Unsupported value: {"Type":${JSON.stringify(type)},"RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"`,
      )
    const { maxSurge, maxUnavailable } = objectOf(rollingUpdate)
    for (const [name, value] of [
      ['maxUnavailable', maxUnavailable],
      ['maxSurge', maxSurge],
    ] as const)
      checkShare(value, `${path}.strategy.rollingUpdate.${name}`, errors)
    if (isZero(maxSurge) && isZero(maxUnavailable))
      push(
        errors,
        `${path}.strategy.rollingUpdate.maxUnavailable`,
        'Invalid',
        `Invalid value: ${JSON.stringify(maxUnavailable)}: may not be 0 when \`maxSurge\` is 0`,
      )
    checkAlways(spec, path, errors)
  },
  'apps.v1.ReplicaSetSpec': (spec, path, errors) => {
    checkSelector(spec, path, errors, 'deployment')
    checkAlways(spec, path, errors)
  },
  'apps.v1.StatefulSetSpec': (spec, path, errors) => {
    checkStatefulStrategy(spec, path, errors)
    checkSelector(spec, path, errors, 'statefulset')
    checkAlways(spec, path, errors)
  },
  'apps.v1.DaemonSetSpec': (spec, path, errors) => {
    checkSelector(spec, path, errors, 'daemonset')
    checkAlways(spec, path, errors)
    checkDaemonStrategy(spec, path, errors)
  },
  'autoscaling.v2.HorizontalPodAutoscalerSpec': ({ minReplicas, maxReplicas = 0 }, path, errors) => {
    if (typeof minReplicas === 'number' && minReplicas < 0)
      push(
        errors,
        `${path}.minReplicas`,
        'Invalid',
        `Invalid value: ${minReplicas}: must be greater than or equal to 0`,
      )
    if (typeof minReplicas === 'number' && typeof maxReplicas === 'number' && maxReplicas < minReplicas)
      push(
        errors,
        `${path}.maxReplicas`,
        'Invalid',
        `Invalid value: ${maxReplicas}: must be greater than or equal to \`minReplicas\``,
      )
  },
  'core.v1.ConfigMap': ({ data, binaryData }, _path, errors) => {
    checkKeys('data', data, errors)
    checkKeys('binaryData', binaryData, errors)
  },
  'core.v1.Secret': ({ data }, _path, errors) => checkKeys('data', data, errors),
  'policy.v1.PodDisruptionBudgetSpec': ({ minAvailable, maxUnavailable }, path, errors) => {
    if (minAvailable !== undefined) checkShare(minAvailable, `${path}.minAvailable`, errors)
    if (maxUnavailable !== undefined) checkShare(maxUnavailable, `${path}.maxUnavailable`, errors)
  },
}

function checkMounts(
  spec: JsonObject,
  path: string,
  volumes: ReadonlySet<Json | undefined>,
  errors: FieldError[],
): void {
  for (const list of ['containers', 'initContainers'])
    objectsOf(spec[list]).forEach((container, index) => {
      const seen = new Set<Json | undefined>()
      objectsOf(container.volumeMounts).forEach(({ name, mountPath }, at) => {
        const here = `${path}.${list}[${index}].volumeMounts[${at}]`
        if (stringOf(name) !== '' && !volumes.has(name))
          push(errors, `${here}.name`, 'NotFound', `Not found: ${JSON.stringify(name)}`)
        if (seen.has(mountPath))
          push(errors, `${here}.mountPath`, 'Invalid', `Invalid value: ${JSON.stringify(mountPath)}: must be unique`)
        seen.add(mountPath)
      })
    })
}

function checkPort(port: Json | undefined, path: string, errors: FieldError[]): void {
  if (typeof port === 'number' && (port < 1 || port > 65535))
    push(errors, path, 'Invalid', `Invalid value: ${port}: must be between 1 and 65535, inclusive`)
  if (typeof port !== 'string') return
  const bad = (message: string): void =>
    push(errors, path, 'Invalid', `Invalid value: ${JSON.stringify(port)}: ${message}`)
  if (port.length > 15) bad('must be no more than 15 characters')
  else if (!/^[-a-zA-Z0-9]+$/.test(port)) bad('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  else if (!/[a-zA-Z]/.test(port)) bad('must contain at least one letter (a-z)')
}

function checkSelector(spec: JsonObject, path: string, errors: FieldError[], owner: string): void {
  const { selector } = spec
  if (!isObject(selector)) return
  const labels = objectOf(objectOf(spec.template).metadata).labels
  if (Object.keys(selector).length === 0)
    push(errors, `${path}.selector`, 'Invalid', `Invalid value: {}: empty selector is invalid for ${owner}`)
  if (!matchSelector(selector)(labels))
    push(
      errors,
      `${path}.template.metadata.labels`,
      'Invalid',
      `Invalid value: ${JSON.stringify(labels ?? null)}: \`selector\` does not match template \`labels\``,
    )
}

function checkAlways(spec: JsonObject, path: string, errors: FieldError[]): void {
  const policy = objectOf(objectOf(spec.template).spec).restartPolicy
  if (policy !== undefined && policy !== 'Always')
    push(
      errors,
      `${path}.template.spec.restartPolicy`,
      'NotSupported',
      `Unsupported value: ${JSON.stringify(policy)}: supported values: "Always"`,
    )
}

const isZero = (value: Json | undefined): boolean => value === 0 || value === '0%'

function checkShare(value: Json | undefined, path: string, errors: FieldError[]): void {
  if (typeof value === 'number' && value < 0)
    push(errors, path, 'Invalid', `Invalid value: ${value}: must be greater than or equal to 0`)
  if (typeof value !== 'string') return
  if (!/^[0-9]+%$/.test(value))
    push(
      errors,
      path,
      'Invalid',
      `Invalid value: ${JSON.stringify(value)}: a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')`,
    )
  else if (/(maxUnavailable|minAvailable)$/.test(path) && Number(value.slice(0, -1)) > 100)
    push(errors, path, 'Invalid', `Invalid value: ${JSON.stringify(value)}: must not be greater than 100%`)
}

function checkKeys(field: string, data: Json | undefined, errors: FieldError[]): void {
  for (const key of Object.keys(objectOf(data))) {
    if (/^[-._a-zA-Z0-9]+$/.test(key) && key.length <= 253 && key !== '.' && !key.startsWith('..')) continue
    const why =
      key === '.' || key === '..'
        ? `must not be '${key}'`
        : key.startsWith('..')
          ? "must not start with '..'"
          : "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
    push(errors, `${field}[${key}]`, 'Invalid', `Invalid value: ${JSON.stringify(key)}: ${why}`)
  }
}
