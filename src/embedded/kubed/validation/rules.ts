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
}

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const MODE = [0, 0o777] as const

/** Rules by definition. */
export const RULES: Readonly<Record<string, Rules>> = {
  'core.v1.PodSpec': {
    required: ['containers'],
    enums: {
      restartPolicy: ['Always', 'OnFailure', 'Never'],
      dnsPolicy: ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'],
    },
    natural: ['terminationGracePeriodSeconds'],
    ranges: { activeDeadlineSeconds: [1, 2147483647] },
    labels: ['hostname', 'subdomain'],
    subdomains: ['nodeName', 'serviceAccountName'],
  },
  'core.v1.Container': {
    required: ['name', 'image'],
    enums: {
      imagePullPolicy: ['Always', 'IfNotPresent', 'Never'],
      terminationMessagePolicy: ['File', 'FallbackToLogsOnError'],
    },
    labels: ['name'],
  },
  'core.v1.ContainerPort': {
    required: ['containerPort'],
    enums: { protocol: PROTOCOLS },
    ports: ['containerPort', 'hostPort'],
  },
  'core.v1.EnvVar': { required: ['name'] },
  'core.v1.ConfigMapKeySelector': { required: ['key'] },
  'core.v1.SecretKeySelector': { required: ['key'] },
  'core.v1.ConfigMapEnvSource': { required: ['name'], subdomains: ['name'] },
  'core.v1.SecretEnvSource': { required: ['name'], subdomains: ['name'] },
  'core.v1.HTTPGetAction': { enums: { scheme: ['HTTP', 'HTTPS'] } },
  'core.v1.ExecAction': { required: ['command'] },
  'core.v1.Probe': {
    natural: ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'],
  },
  'core.v1.VolumeMount': { required: ['name', 'mountPath'] },
  'core.v1.Volume': { required: ['name'], labels: ['name'] },
  'core.v1.ConfigMapVolumeSource': { required: ['name'], ranges: { defaultMode: MODE } },
  'core.v1.SecretVolumeSource': { required: ['secretName'], ranges: { defaultMode: MODE } },
  'core.v1.PersistentVolumeClaimVolumeSource': { required: ['claimName'] },
  'core.v1.HostPathVolumeSource': {
    required: ['path'],
    enums: {
      type: ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'],
    },
  },
  'core.v1.Toleration': { enums: { operator: ['Equal', 'Exists'] } },
  'core.v1.TopologySpreadConstraint': { enums: { whenUnsatisfiable: ['DoNotSchedule', 'ScheduleAnyway'] } },
  'core.v1.ServiceSpec': {
    enums: {
      type: ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'],
      sessionAffinity: ['ClientIP', 'None'],
      externalTrafficPolicy: ['Cluster', 'Local'],
      internalTrafficPolicy: ['Cluster', 'Local'],
    },
  },
  'core.v1.ServicePort': { required: ['port'], enums: { protocol: PROTOCOLS }, ports: ['port'], labels: ['name'] },
  'core.v1.ReplicationControllerSpec': { natural: ['replicas', 'minReadySeconds'] },
  'apps.v1.DeploymentSpec': {
    required: ['selector'],
    natural: ['replicas', 'minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds'],
  },
  'apps.v1.ReplicaSetSpec': { required: ['selector'], natural: ['replicas', 'minReadySeconds'] },
  'apps.v1.StatefulSetSpec': {
    required: ['selector'],
    natural: ['replicas', 'minReadySeconds', 'revisionHistoryLimit'],
  },
  'apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy': {
    enums: { whenDeleted: ['Retain', 'Delete'], whenScaled: ['Retain', 'Delete'] },
  },
  'apps.v1.DaemonSetSpec': { required: ['selector'], natural: ['minReadySeconds', 'revisionHistoryLimit'] },
  'batch.v1.JobSpec': {
    natural: ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished'],
    enums: { completionMode: ['NonIndexed', 'Indexed'] },
  },
  'batch.v1.CronJobSpec': {
    required: ['schedule'],
    natural: ['startingDeadlineSeconds', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit'],
    enums: { concurrencyPolicy: ['Allow', 'Forbid', 'Replace'] },
  },
  'autoscaling.v2.HorizontalPodAutoscalerSpec': { required: ['maxReplicas'] },
  'autoscaling.v2.CrossVersionObjectReference': { required: ['kind', 'name'] },
  'autoscaling.v2.MetricSpec': { enums: { type: ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'] } },
  'autoscaling.v2.HPAScalingPolicy': { enums: { type: ['Percent', 'Pods'] } },
  'autoscaling.v2.HPAScalingRules': { enums: { selectPolicy: ['Disabled', 'Max', 'Min'] } },
  'rbac.v1.PolicyRule': { required: ['verbs'] },
  'rbac.v1.Subject': { required: ['name'], enums: { kind: ['ServiceAccount', 'User', 'Group'] } },
  'policy.v1.PodDisruptionBudgetSpec': { enums: { unhealthyPodEvictionPolicy: ['AlwaysAllow', 'IfHealthyBudget'] } },
  'discovery.v1.EndpointSlice': { required: ['addressType'], enums: { addressType: ['FQDN', 'IPv4', 'IPv6'] } },
  'discovery.v1.Endpoint': { required: ['addresses'] },
}
