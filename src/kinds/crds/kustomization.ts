import type { KindTable } from './table.ts'

/** What a Kustomization may hold, all versions in one: they differ by fields alone, and objects are never converted. */
export const kustomizationTable: KindTable = {
  group: 'kustomize.toolkit.fluxcd.io',
  kind: 'Kustomization',
  plural: 'kustomizations',
  shortNames: ['ks'],
  categories: ['all', 'fluxcd', 'fluxcd-appliers'],
  versions: ['v1beta1', 'v1beta2', 'v1'],
  columns: [
    'Age date .metadata.creationTimestamp',
    'Ready string .status.conditions[?(@.type=="Ready")].status',
    'Status string .status.conditions[?(@.type=="Ready")].message',
  ],
  hasStatus: true,
  fields: String.raw`
spec object
  buildMetadata [string] {"each":{"enum":["originAnnotations","transformerAnnotations"]}}
  commonMetadata object
    annotations {string}
    labels {string}
  components [string]
  decryption object
    provider! string {"enum":["sops"]}
    secretRef object
      name! string
    serviceAccountName string
  deletionPolicy string {"enum":["MirrorPrune","Delete","WaitForTermination","Orphan"]}
  dependsOn [object]
    name! string
    namespace string
    readyExpr string
  force boolean {"default":false}
  healthCheckExprs [object]
    apiVersion! string
    current! string
    failed string
    inProgress string
    kind string
  healthChecks [object]
    apiVersion string
    kind! string
    name! string
    namespace string
  ignore [object]
    paths! [string]
    target object
      annotationSelector string
      group string
      kind string
      labelSelector string
      name string
      namespace string
      version string
  ignoreMissingComponents boolean
  images [object]
    digest string
    name! string
    newName string
    newTag string
  interval! string duration
  kubeConfig object
    ? "has(self.configMapRef) || has(self.secretRef)" : "exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified"
    ? "!has(self.configMapRef) || !has(self.secretRef)" : "exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified"
    configMapRef object
      name! string
    secretRef object
      key string
      name! string
  namePrefix string {"maxLength":200,"minLength":1}
  nameSuffix string {"maxLength":200,"minLength":1}
  patches [object]
    patch! string
    target object
      annotationSelector string
      group string
      kind string
      labelSelector string
      name string
      namespace string
      version string
  path string
  postBuild object
    substitute {string}
    substituteFrom [object]
      kind! string {"enum":["Secret","ConfigMap"]}
      name! string {"maxLength":253,"minLength":1}
      optional boolean {"default":false}
    substituteStrategy string {"enum":["WithVariables","Always"]}
  prune! boolean
  retryInterval string duration
  serviceAccountName string
  sourceRef! object
    apiVersion string
    kind! string {"enum":["OCIRepository","GitRepository","Bucket","ExternalArtifact"]}
    name! string
    namespace string
  suspend boolean
  targetNamespace string {"maxLength":63,"minLength":1}
  timeout string duration
  wait boolean
  patchesJson6902 [object]
    patch! [object]
      from string
      op! string {"enum":["test","remove","add","replace","move","copy"]}
      path! string
      value any
    target! object
      annotationSelector string
      group string
      kind string
      labelSelector string
      name string
      namespace string
      version string
  patchesStrategicMerge [any]
  validation string {"enum":["none","client","server"]}
status object {"default":{"observedGeneration":-1}}
  conditions @conditions
  history [object]
    digest! string
    firstReconciled! string {"format":"date-time"}
    lastReconciled! string {"format":"date-time"}
    lastReconciledDuration! string
    lastReconciledStatus! string
    metadata {string}
    totalReconciliations! integer {"format":"int64"}
  inventory object
    entries! [object]
      id! string
      v! string
  lastAppliedOriginRevision string
  lastAppliedRevision string
  lastAttemptedRevision string
  lastHandledReconcileAt string
  observedGeneration integer {"format":"int64"}
  snapshot object
    checksum! string
    entries! [object]
      kinds! {string}
      namespace string
`,
}
