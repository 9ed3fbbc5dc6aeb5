/** kubectl's short names of the built-in kinds that manifests hold. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  cj: 'CronJob',
  cm: 'ConfigMap',
  crd: 'CustomResourceDefinition',
  deploy: 'Deployment',
  ds: 'DaemonSet',
  ep: 'Endpoints',
  hpa: 'HorizontalPodAutoscaler',
  ing: 'Ingress',
  ks: 'Kustomization',
  limits: 'LimitRange',
  netpol: 'NetworkPolicy',
  ns: 'Namespace',
  pc: 'PriorityClass',
  pdb: 'PodDisruptionBudget',
  po: 'Pod',
  pv: 'PersistentVolume',
  pvc: 'PersistentVolumeClaim',
  quota: 'ResourceQuota',
  rc: 'ReplicationController',
  rs: 'ReplicaSet',
  sa: 'ServiceAccount',
  sc: 'StorageClass',
  sts: 'StatefulSet',
  svc: 'Service',
}

/** Whether a name on the command line (`deploy`, `deployments`, `Deployment`) means the kind. */
export function isNameOfKind(name: string, kind: string): boolean {
  const wanted = name.toLowerCase()
  const lower = kind.toLowerCase()
  if (wanted === lower || SHORT_NAMES[wanted] === kind) return true
  return wanted === `${lower}s` || wanted === `${lower}es` || wanted === lower.replace(/y$/, 'ies')
}
