import { isObject, type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { randomUUID } from 'node:crypto'
import { defaultContainer, defaultPod, defaultPodSpec, defaultVolume } from './pod.ts'
import { DEFAULT_CPU_PERCENT } from './table.ts'

/** Defaults that depend on other fields, by definition; called before those below it. */
export const RULES: Readonly<Record<string, (value: JsonObject) => void>> = {
  'core.v1.Pod': defaultPod,
  'core.v1.PodSpec': defaultPodSpec,
  'core.v1.PodStatus': joinAddresses,
  'core.v1.Container': defaultContainer,
  'core.v1.EphemeralContainer': defaultContainer,
  'core.v1.Volume': defaultVolume,
  'core.v1.Secret': defaultSecret,
  'core.v1.Service': defaultService,
  'core.v1.ServicePort': defaultServicePort,
  'core.v1.Namespace': (namespace) => {
    const metadata = objectOf(namespace.metadata)
    // A name that is made up later is labelled by the server, for nobody.
    if (stringOf(metadata.name) !== '')
      metadata.labels = { ...objectOf(metadata.labels), 'kubernetes.io/metadata.name': metadata.name }
  },
  'core.v1.ReplicationController': (controller) => {
    const labels = objectOf(objectOf(objectOf(objectOf(controller.spec).template).metadata).labels)
    const spec = objectOf(controller.spec)
    if (Object.keys(labels).length === 0) return
    if (Object.keys(objectOf(spec.selector)).length === 0) spec.selector = { ...labels }
    const metadata = objectOf(controller.metadata)
    if (Object.keys(objectOf(metadata.labels)).length === 0) metadata.labels = { ...labels }
  },
  'core.v1.LimitRangeItem': defaultLimits,
  'apps.v1.DeploymentSpec': (spec) => {
    spec.strategy ??= {}
  },
  'apps.v1.DeploymentStrategy': (strategy) => {
    if ((strategy.type || 'RollingUpdate') !== 'RollingUpdate') return
    const rolling = isObject(strategy.rollingUpdate) ? strategy.rollingUpdate : {}
    rolling.maxUnavailable ??= '25%'
    rolling.maxSurge ??= '25%'
    strategy.rollingUpdate = rolling
  },
  'apps.v1.StatefulSetSpec': (spec) => {
    spec.podManagementPolicy ||= 'OrderedReady'
    spec.updateStrategy ??= {}
    const retention = isObject(spec.persistentVolumeClaimRetentionPolicy)
      ? spec.persistentVolumeClaimRetentionPolicy
      : {}
    retention.whenDeleted ||= 'Retain'
    retention.whenScaled ||= 'Retain'
    spec.persistentVolumeClaimRetentionPolicy = retention
    for (const claim of objectsOf(spec.volumeClaimTemplates)) {
      claim.apiVersion = 'v1'
      claim.kind = 'PersistentVolumeClaim'
      claim.status = { phase: 'Pending' }
    }
  },
  'apps.v1.StatefulSetUpdateStrategy': (strategy) => {
    // Whoever names the type and no more gets no more.
    if (stringOf(strategy.type) === '') strategy.rollingUpdate ??= {}
    if ((strategy.type || 'RollingUpdate') !== 'RollingUpdate' || !isObject(strategy.rollingUpdate)) return
    const rolling = strategy.rollingUpdate
    rolling.partition ??= 0
    rolling.maxUnavailable ??= 1
  },
  'batch.v1.CronJobSpec': (spec) => {
    spec.concurrencyPolicy ||= 'Allow'
  },
  'apps.v1.DaemonSetSpec': (spec) => {
    spec.updateStrategy ??= {}
  },
  'apps.v1.DaemonSetUpdateStrategy': (strategy) => {
    if ((strategy.type || 'RollingUpdate') !== 'RollingUpdate') return
    const rolling = isObject(strategy.rollingUpdate) ? strategy.rollingUpdate : {}
    rolling.maxUnavailable ??= 1
    rolling.maxSurge ??= 0
    strategy.rollingUpdate = rolling
  },
  'batch.v1.Job': (job) => {
    defaultJob(objectOf(job.spec))
    const metadata = objectOf(job.metadata)
    const labels = objectOf(objectOf(objectOf(objectOf(job.spec).template).metadata).labels)
    if (Object.keys(objectOf(metadata.labels)).length === 0 && Object.keys(labels).length > 0)
      metadata.labels = { ...labels }
  },
  'batch.v1.PodFailurePolicyOnPodConditionsPattern': (pattern) => {
    pattern.status ||= 'True'
  },
  'autoscaling.v2.HorizontalPodAutoscalerSpec': defaultAutoscaler,
  'autoscaling.v2.HorizontalPodAutoscalerBehavior': (behavior) => {
    behavior.scaleUp = scalingRules(behavior.scaleUp, 0, [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ])
    behavior.scaleDown = scalingRules(behavior.scaleDown, undefined, [
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ])
  },
  'autoscaling.v1.HorizontalPodAutoscaler': ({ metadata, spec }) => {
    const target = objectOf(spec)
    target.minReplicas ??= 1
    const others = objectOf(objectOf(metadata).annotations)['autoscaling.alpha.kubernetes.io/metrics']
    if (others === undefined) target.targetCPUUtilizationPercentage ??= DEFAULT_CPU_PERCENT
  },
  'networking.v1.NetworkPolicySpec': (spec) => {
    if (listOf(spec.policyTypes).length > 0) return
    spec.policyTypes = listOf(spec.egress).length > 0 ? ['Ingress', 'Egress'] : ['Ingress']
  },
  'networking.v1.NetworkPolicyPort': (port) => {
    port.protocol ??= 'TCP'
  },
  'rbac.v1.Subject': (subject) => {
    if (stringOf(subject.apiGroup) !== '') return
    subject.apiGroup = subject.kind === 'ServiceAccount' ? '' : 'rbac.authorization.k8s.io'
  },
  'rbac.v1.RoleRef': (role) => {
    role.apiGroup ||= 'rbac.authorization.k8s.io'
  },
  'apiextensions.v1.CustomResourceDefinition': defaultDefinition,
  'core.v1.LimitRange': ({ metadata }) => {
    // The only kind that the server names itself.
    const { name, generateName } = objectOf(metadata)
    if (stringOf(name) === '' && stringOf(generateName) === '') objectOf(metadata).name = randomUUID()
  },
  'core.v1.NodeSpec': defaultNode,
  'storage.v1.CSIDriverSpec': (driver) => {
    if (listOf(driver.volumeLifecycleModes).length === 0) driver.volumeLifecycleModes = ['Persistent']
  },
  'core.v1.NodeStatus': (status) => {
    if (Object.keys(objectOf(status.allocatable)).length === 0 && isObject(status.capacity))
      status.allocatable = { ...status.capacity }
  },
  'core.v1.PersistentVolumeClaimSpec': defaultSource,
  'core.v1.PersistentVolumeClaim': (claim) => {
    claim.status = { phase: 'Pending', ...objectOf(claim.status) }
  },
  'core.v1.PersistentVolume': (volume) => {
    // a volume that stands in an attachment has a spec of the same kind without these
    const spec = objectOf(volume.spec)
    spec.persistentVolumeReclaimPolicy ||= 'Retain'
    spec.volumeMode ??= 'Filesystem'
    volume.spec = spec
    volume.status = { phase: 'Pending', ...objectOf(volume.status) }
  },
  'core.v1.TopologySpreadConstraint': () => {},
  'resource.v1.ExactDeviceRequest': countOne,
  'resource.v1.DeviceSubRequest': countOne,
}

/** Who asks for an exact number of devices asks for one. */
function countOne(request: JsonObject): void {
  if ((request.allocationMode ?? 'ExactCount') === 'ExactCount') request.count ??= 1
}

/** The first network of a node has a field of its own, from before there were several. */
function defaultNode(spec: JsonObject): void {
  const [first] = listOf(spec.podCIDRs)
  const alone = stringOf(spec.podCIDR)
  if (alone !== '' && alone !== first) spec.podCIDRs = [alone]
  else if (alone === '' && first !== undefined) spec.podCIDR = first
}

/** What a claim is filled from: the older of two fields takes claims and snapshots alone. */
function defaultSource(spec: JsonObject): void {
  const { dataSource, dataSourceRef } = spec
  const { apiGroup, kind } = objectOf(dataSource)
  const isKnown =
    (stringOf(apiGroup) === '' && kind === 'PersistentVolumeClaim') ||
    (apiGroup === 'snapshot.storage.k8s.io' && kind === 'VolumeSnapshot')
  if (dataSource !== undefined && dataSourceRef === undefined && !isKnown) delete spec.dataSource
}

function defaultDefinition(definition: JsonObject): void {
  const spec = objectOf(definition.spec)
  const storage = objectsOf(spec.versions).find((version) => version.storage === true)
  const status = objectOf(definition.status)
  if (storage !== undefined && listOf(status.storedVersions).length === 0)
    definition.status = { ...status, storedVersions: [stringOf(storage.name)] }
  spec.conversion ??= { strategy: 'None' }
  const { service } = objectOf(objectOf(objectOf(spec.conversion).webhook).clientConfig)
  if (isObject(service)) service.port ??= 443
  const names = objectOf(spec.names)
  const kind = stringOf(names.kind)
  names.singular = stringOf(names.singular) || kind.toLowerCase()
  names.listKind = stringOf(names.listKind) || (kind === '' ? '' : `${kind}List`)
}

function defaultSecret(secret: JsonObject): void {
  if (secret.type === '') delete secret.type
  if (!isObject(secret.stringData)) return
  const data = isObject(secret.data) ? secret.data : {}
  for (const [key, value] of Object.entries(secret.stringData))
    data[key] = Buffer.from(stringOf(value)).toString('base64')
  secret.data = data
  delete secret.stringData
}

function defaultService(service: JsonObject): void {
  const spec = isObject(service.spec) ? service.spec : {}
  service.spec = spec
  spec.sessionAffinity ||= 'None'
  spec.type ||= 'ClusterIP'
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig
  if (spec.sessionAffinity === 'ClientIP') {
    const config = objectOf(objectOf(spec.sessionAffinityConfig).clientIP)
    spec.sessionAffinityConfig = { clientIP: { ...config, timeoutSeconds: config.timeoutSeconds ?? 10800 } }
  }
  const isExternal =
    spec.type === 'NodePort' ||
    spec.type === 'LoadBalancer' ||
    (spec.type === 'ClusterIP' && listOf(spec.externalIPs).length > 0)
  if (isExternal) spec.externalTrafficPolicy ||= 'Cluster'
  if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster'
  if (spec.type !== 'LoadBalancer') return
  spec.allocateLoadBalancerNodePorts ??= true
  const { ingress } = objectOf(objectOf(service.status).loadBalancer)
  for (const each of objectsOf(ingress)) if (stringOf(each.ip) !== '') each.ipMode ??= 'VIP'
}

/** The kind inside the server has the list alone: the single address is its first, and wins where they differ. */
function joinAddresses(status: JsonObject): void {
  const [first] = objectsOf(status.podIPs)
  const ip = stringOf(status.podIP)
  if (ip === '' && first !== undefined) status.podIP = stringOf(first.ip)
  else if (ip !== '' && ip !== stringOf(first?.ip)) status.podIPs = [{ ip }]
}

function defaultServicePort(port: JsonObject): void {
  port.protocol ||= 'TCP'
  if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === '') port.targetPort = port.port
}

function defaultLimits(item: JsonObject): void {
  if (item.type !== 'Container') return
  const set = (name: string): JsonObject => {
    const list = isObject(item[name]) ? item[name] : {}
    return list
  }
  const limits = set('default')
  const requests = set('defaultRequest')
  for (const [name, value] of Object.entries(objectOf(item.max))) limits[name] ??= value
  for (const [name, value] of Object.entries(limits)) requests[name] ??= value
  for (const [name, value] of Object.entries(objectOf(item.min))) requests[name] ??= value
  if (Object.keys(limits).length > 0) item.default = limits
  if (Object.keys(requests).length > 0) item.defaultRequest = requests
}

function defaultJob(spec: JsonObject): void {
  if (spec.completions === undefined && spec.parallelism === undefined) {
    spec.completions = 1
    spec.parallelism = 1
  }
  spec.parallelism ??= 1
  spec.completionMode ??= 'NonIndexed'
  spec.suspend ??= false
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2147483647
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed'
  spec.manualSelector ??= false
}

function defaultAutoscaler(spec: JsonObject): void {
  spec.minReplicas ??= 1
  if (listOf(spec.metrics).length === 0)
    spec.metrics = [
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
    ]
}

function scalingRules(written: unknown, windowSeconds: number | undefined, policies: JsonObject[]): JsonObject {
  const rules = isObject(written) ? written : {}
  rules.selectPolicy ??= 'Max'
  if (windowSeconds !== undefined) rules.stabilizationWindowSeconds ??= windowSeconds
  rules.policies ??= policies
  return rules
}
