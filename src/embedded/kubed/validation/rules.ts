/** What a definition asks of its fields, as data. `enums` are in the order in which the server prints them. */
export type Rules = {
  readonly required?: readonly string[]
  readonly enums?: Readonly<Record<string, readonly string[]>>
  /** Fields that must be 0 or more. */
  readonly natural?: readonly string[]
  /** Fields that must be a port number. */
  readonly ports?: readonly string[]
  readonly ranges?: Readonly<Record<string, readonly [min: number, max: number]>>
  /** Names of other objects: lower-case DNS labels or subdomains. */
  readonly labels?: readonly string[]
  readonly subdomains?: readonly string[]
  /** The definition's check decides what is checked below it, and in which order. */
  readonly isWhole?: boolean
  /** Fields of which a check of the definition knows all. */
  readonly unchecked?: readonly string[]
}

const MODE = [0, 0o777] as const

/** Rules by definition; those of kinds of volumes stand with their checks. */
export const RULES: Readonly<Record<string, Rules>> = {
  'core.v1.PodSpec': { isWhole: true },
  'core.v1.Container': { isWhole: true },
  'core.v1.Volume': { isWhole: true },
  'core.v1.DownwardAPIVolumeFile': { isWhole: true },
  'core.v1.VolumeMount': { isWhole: true },
  'core.v1.NodeSelectorTerm': { isWhole: true },
  'networking.v1.HTTPIngressPath': { isWhole: true },
  'core.v1.Probe': { isWhole: true },
  'core.v1.LifecycleHandler': { isWhole: true },
  'core.v1.ResourceFieldSelector': { isWhole: true },
  'core.v1.VolumeResourceRequirements': { unchecked: ['limits', 'requests'] },
  'core.v1.ResourceRequirements': { unchecked: ['limits', 'requests'] },
  'core.v1.ResourceQuotaSpec': { unchecked: ['hard'] },
  'core.v1.LimitRangeSpec': { unchecked: ['limits'] },
  'node.v1.RuntimeClass': { unchecked: ['overhead'] },
  'core.v1.EmptyDirVolumeSource': { unchecked: ['sizeLimit'] },
  'core.v1.PersistentVolumeSpec': { isWhole: true },
  'storage.v1.VolumeAttachmentSource': { isWhole: true },
  'storage.v1.CSIStorageCapacity': { unchecked: ['maximumVolumeSize'] },
  'autoscaling.v2.MetricIdentifier': { unchecked: ['selector'] },
  'autoscaling.v2.MetricTarget': { unchecked: ['value', 'averageValue'] },
  'core.v1.KeyToPath': { required: ['key', 'path'], ranges: { mode: MODE } },
  'core.v1.DownwardAPIVolumeSource': { ranges: { defaultMode: MODE } },
  'core.v1.ProjectedVolumeSource': { ranges: { defaultMode: MODE } },
  'core.v1.EnvVar': { required: ['name'] },
  'core.v1.ConfigMapEnvSource': { required: ['name'], subdomains: ['name'] },
  'core.v1.SecretEnvSource': { required: ['name'], subdomains: ['name'] },
  'core.v1.ConfigMapVolumeSource': { required: ['name'], ranges: { defaultMode: MODE } },
  'core.v1.SecretVolumeSource': { required: ['secretName'], ranges: { defaultMode: MODE } },
  'core.v1.PersistentVolumeClaimVolumeSource': { required: ['claimName'] },
  'core.v1.ReplicationControllerSpec': { natural: ['replicas', 'minReadySeconds'] },
  'apps.v1.DeploymentSpec': { natural: ['replicas'], required: ['selector'], isWhole: true },
  'apps.v1.ReplicaSetSpec': { natural: ['replicas', 'minReadySeconds'], required: ['selector'], isWhole: true },
  'apps.v1.StatefulSetSpec': { isWhole: true },
  'apps.v1.DaemonSetSpec': { unchecked: ['selector'] },
  'batch.v1.JobSpec': {
    natural: [
      ...['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished'],
      ...['backoffLimitPerIndex', 'maxFailedIndexes'],
    ],
    enums: { completionMode: ['NonIndexed', 'Indexed'] },
  },
  'batch.v1.CronJobSpec': { isWhole: true },
  'rbac.v1.PolicyRule': { required: ['verbs'] },
  'rbac.v1.AggregationRule': { isWhole: true },
}
