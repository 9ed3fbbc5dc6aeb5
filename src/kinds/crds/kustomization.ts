import type { KindTable } from './table.ts'

/** What a Kustomization may hold, all versions in one: they differ by fields alone, and objects are never converted. */
export const kustomizationTable: KindTable = {
  group: 'kustomize.toolkit.fluxcd.io',
  kind: 'Kustomization',
  about: 'what is built from a path of a source, applied, pruned and watched',
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
spec object # what is wanted
  buildMetadata [string] {"each":{"enum":["originAnnotations","transformerAnnotations"]}} # annotations that say where an object is from
  commonMetadata object # labels and annotations of every object
    annotations {string}
    labels {string}
  components [string] # kustomize components, as paths beside path
  decryption object # how encrypted files are read
    provider! string {"enum":["sops"]} # sops
    secretRef object # the Secret with keys: .agekey for age, .asc for PGP
      name! string
    serviceAccountName string # the ServiceAccount that asks a KMS
  deletionPolicy string {"enum":["MirrorPrune","Delete","WaitForTermination","Orphan"]} # what becomes of the objects when this one is deleted; MirrorPrune does as prune says
  dependsOn [object] # Kustomizations that must be ready before
    name! string
    namespace string
    readyExpr string # a CEL expression of self and dep that says when it is, instead of its Ready condition
  force boolean {"default":false} # true recreates objects whose immutable fields changed
  healthCheckExprs [object] # when an object of a kind is healthy, in CEL
    apiVersion! string
    current! string # true when it is healthy
    failed string # true when it has failed
    inProgress string # true while it is on its way
    kind string
  healthChecks [object] # objects that must be healthy; not looked at with wait
    apiVersion string
    kind! string
    name! string
    namespace string
  ignore [object] # fields that others may change: they are not drift
    paths! [string] # JSON pointers of the fields
    target object # which objects; all without it
      annotationSelector string
      group string
      kind string
      labelSelector string
      name string
      namespace string
      version string
  ignoreMissingComponents boolean # true leaves out components that are not there
  images [object] # images that get another name, tag or digest
    digest string
    name! string
    newName string
    newTag string
  interval! string duration # how often drift is looked for; a new revision is applied at once
  kubeConfig object # another cluster to apply to
    ? "has(self.configMapRef) || has(self.secretRef)" : "exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified"
    ? "!has(self.configMapRef) || !has(self.secretRef)" : "exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified"
    configMapRef object # the ConfigMap that names a cluster and a login of a cloud
      name! string
    secretRef object # the Secret with a kubeconfig
      key string
      name! string
  namePrefix string {"maxLength":200,"minLength":1} # put before every name
  nameSuffix string {"maxLength":200,"minLength":1} # put behind every name
  patches [object] # strategic merge or JSON 6902 patches
    patch! string # the patch, as YAML
    target object # which objects it changes
      annotationSelector string
      group string
      kind string
      labelSelector string
      name string
      namespace string
      version string
  path string # folder of the artifact that is built; its root without it
  postBuild object # what is done to the built objects
    substitute {string} # values of variables, by name
    substituteFrom [object] # ConfigMaps and Secrets with values of variables; later ones win, substitute wins over all
      kind! string {"enum":["Secret","ConfigMap"]}
      name! string {"maxLength":253,"minLength":1}
      optional boolean {"default":false}
    substituteStrategy string {"enum":["WithVariables","Always"]} # Always looks for variables also where no value is given
  prune! boolean # true deletes what left the source
  retryInterval string duration # how long after a failure it is tried again; interval without it
  serviceAccountName string # the ServiceAccount that applies
  sourceRef! object # the source that is built
    apiVersion string
    kind! string {"enum":["OCIRepository","GitRepository","Bucket","ExternalArtifact"]}
    name! string
    namespace string
  suspend boolean # true stops new work on this object; what was done stays
  targetNamespace string {"maxLength":63,"minLength":1} # the namespace that every object gets
  timeout string duration # how long a build, an apply and health checks may take; interval less 30 s without it
  wait boolean # true wants every object healthy
  patchesJson6902 [object] # of old versions: use patches
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
  patchesStrategicMerge [any] # of old versions: use patches
  validation string {"enum":["none","client","server"]} # of old versions; means nothing
status object {"default":{"observedGeneration":-1}} # what is so
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
