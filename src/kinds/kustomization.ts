import { SluiceError } from '../lib/error/sluice-error.ts'
import type { KubeObject } from '../lib/kube/object.ts'
import { read, readList, readText } from '../lib/kube/read.ts'
import { intervalOf } from './duration.ts'
import { durationField, optionalText, parseFluxMeta, textList, textMap, type FluxMeta } from './flux-object.ts'

/** An entry of `status.inventory`. */
export type InventoryEntry = { readonly id: string; readonly v: string }

/** An entry of `status.history`. */
export type HistoryEntry = {
  readonly digest: string
  readonly firstReconciled: string
  readonly lastReconciled: string
  readonly lastReconciledDuration: string
  readonly lastReconciledStatus: string
  readonly totalReconciliations: number
  readonly metadata?: Readonly<Record<string, string>>
}

/** An entry of `spec.dependsOn`. */
export type Dependency = { readonly namespace: string; readonly name: string; readonly readyExpr: string | undefined }

/** An entry of `spec.healthChecks`; `namespace` is '' when none is written. */
export type HealthCheck = {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** An entry of `spec.healthCheckExprs`. */
export type HealthExpression = {
  readonly apiVersion: string
  readonly kind: string | undefined
  readonly current: string
  readonly inProgress: string | undefined
  readonly failed: string | undefined
}

/** A Kustomization of any version: one superset, defaults filled in. */
export type Kustomization = FluxMeta & {
  readonly sourceRef: { readonly kind: string; readonly namespace: string; readonly name: string }
  readonly path: string
  readonly intervalMs: number
  readonly retryIntervalMs: number
  /** At least 30 s: Flux raises what is lower. */
  readonly timeoutMs: number
  readonly prune: boolean
  readonly deletionPolicy: 'MirrorPrune' | 'Delete' | 'WaitForTermination' | 'Orphan'
  readonly force: boolean
  readonly wait: boolean
  readonly healthChecks: readonly HealthCheck[]
  readonly healthExpressions: readonly HealthExpression[]
  readonly dependsOn: readonly Dependency[]
  readonly targetNamespace: string | undefined
  readonly commonLabels: Readonly<Record<string, string>>
  readonly commonAnnotations: Readonly<Record<string, string>>
  readonly serviceAccountName: string | undefined
  readonly kubeConfig: KubeConfigReference | undefined
  readonly decryption: DecryptionReference | undefined
  readonly ignore: readonly IgnoreRule[]
  readonly substituteFrom: readonly SubstituteReference[]
  readonly substitute: Readonly<Record<string, string>>
  readonly substituteAlways: boolean
  /** What of the spec can never work; the fields at fault have their defaults. */
  readonly invalid: string | undefined
  /** The whole spec as it stands: the build reads its own fields from it. */
  readonly spec: Readonly<Record<string, unknown>>
  readonly inventory: readonly InventoryEntry[]
  readonly history: readonly HistoryEntry[]
  readonly lastAppliedRevision: string
  readonly lastAttemptedRevision: string
  readonly status: Readonly<Record<string, unknown>>
}

/** An entry of `spec.postBuild.substituteFrom`. */
export type SubstituteReference = {
  readonly kind: 'ConfigMap' | 'Secret'
  readonly name: string
  readonly isOptional: boolean
}

/** `spec.kubeConfig`: a kubeconfig in a Secret, or what a ConfigMap says of a cluster and how to log in. */
export type KubeConfigReference =
  | { readonly kind: 'Secret'; readonly name: string; readonly key: string | undefined }
  | { readonly kind: 'ConfigMap'; readonly name: string }

/** `spec.decryption` with provider sops. */
export type DecryptionReference = {
  readonly secretName: string | undefined
  readonly serviceAccountName: string | undefined
}

/** An entry of `spec.ignore`: fields, as JSON pointers, that others may change. Names are Go expressions for the whole name; absent: all. */
export type IgnoreRule = { readonly paths: readonly string[]; readonly target: IgnoreTarget }

/** Which objects a rule of `spec.ignore` is for. */
export type IgnoreTarget = {
  readonly group: string | undefined
  readonly version: string | undefined
  readonly kind: string | undefined
  readonly name: string | undefined
  readonly namespace: string | undefined
  readonly labelSelector: string | undefined
  readonly annotationSelector: string | undefined
}

const SHORTEST_TIMEOUT_MS = 30_000
const DEFAULT_INTERVAL_MS = 60_000

/**
 * Reads a Kustomization of any API version that Flux ever served. Never fails: what is wrong with one object must not stop the work on
 * others (CVE-2022-39272), so it is told in `invalid`.
 */
export function parseKustomization(object: KubeObject): Kustomization {
  const meta = parseFluxMeta(object)
  const spec = read(object, 'spec')
  const faults: string[] = []
  const duration = (field: string): number | undefined => {
    try {
      return durationField(object, field)
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error
      faults.push(`spec.${field}: ${error.message}`)
      return undefined
    }
  }
  const interval = duration('interval') ?? DEFAULT_INTERVAL_MS
  return {
    sourceRef: {
      kind: readText(spec, 'sourceRef', 'kind'),
      namespace: optionalText(spec, 'sourceRef', 'namespace') ?? meta.namespace,
      name: readText(spec, 'sourceRef', 'name'),
    },
    path: readText(spec, 'path'),
    intervalMs: intervalOf(interval),
    retryIntervalMs: intervalOf(duration('retryInterval') ?? interval),
    timeoutMs: Math.max(duration('timeout') ?? interval - SHORTEST_TIMEOUT_MS, SHORTEST_TIMEOUT_MS),
    prune: read(spec, 'prune') === true,
    deletionPolicy: policyOf(readText(spec, 'deletionPolicy')),
    force: read(spec, 'force') === true,
    wait: read(spec, 'wait') === true,
    healthChecks: readList(spec, 'healthChecks').map(healthCheckOf),
    healthExpressions: readList(spec, 'healthCheckExprs').map(expressionOf),
    dependsOn: readList(spec, 'dependsOn').map((entry) => ({
      namespace: optionalText(entry, 'namespace') ?? meta.namespace,
      name: readText(entry, 'name'),
      readyExpr: optionalText(entry, 'readyExpr'),
    })),
    targetNamespace: optionalText(spec, 'targetNamespace'),
    commonLabels: textMap(spec, 'commonMetadata', 'labels'),
    commonAnnotations: textMap(spec, 'commonMetadata', 'annotations'),
    serviceAccountName: optionalText(spec, 'serviceAccountName'),
    kubeConfig: kubeConfigOf(read(spec, 'kubeConfig')),
    decryption: decryptionOf(read(spec, 'decryption')),
    ignore: readList(spec, 'ignore').map(ignoreOf),
    invalid: faults.length === 0 ? undefined : faults.join('; '),
    spec: (spec ?? {}) as Readonly<Record<string, unknown>>,
    ...substitutionOf(spec),
    ...statusOf(object),
    ...meta,
  }
}

function substitutionOf(spec: unknown): Pick<Kustomization, 'substituteFrom' | 'substitute' | 'substituteAlways'> {
  const postBuild = read(spec, 'postBuild')
  return {
    substitute: textMap(postBuild, 'substitute'),
    substituteFrom: readList(postBuild, 'substituteFrom').map((entry) => ({
      kind: readText(entry, 'kind') === 'Secret' ? 'Secret' : 'ConfigMap',
      name: readText(entry, 'name'),
      isOptional: read(entry, 'optional') === true,
    })),
    substituteAlways: readText(postBuild, 'substituteStrategy') === 'Always',
  }
}

function statusOf(
  object: KubeObject,
): Pick<Kustomization, 'inventory' | 'history' | 'lastAppliedRevision' | 'lastAttemptedRevision' | 'status'> {
  const status = read(object, 'status')
  return {
    inventory: readList(status, 'inventory', 'entries') as readonly InventoryEntry[],
    history: readList(status, 'history') as readonly HistoryEntry[],
    lastAppliedRevision: readText(status, 'lastAppliedRevision'),
    lastAttemptedRevision: readText(status, 'lastAttemptedRevision'),
    status: (status ?? {}) as Readonly<Record<string, unknown>>,
  }
}

function kubeConfigOf(value: unknown): KubeConfigReference | undefined {
  const secret = optionalText(value, 'secretRef', 'name')
  if (secret !== undefined) return { kind: 'Secret', name: secret, key: optionalText(value, 'secretRef', 'key') }
  const config = optionalText(value, 'configMapRef', 'name')
  return config === undefined ? undefined : { kind: 'ConfigMap', name: config }
}

function decryptionOf(value: unknown): DecryptionReference | undefined {
  if (readText(value, 'provider') !== 'sops') return undefined
  return {
    secretName: optionalText(value, 'secretRef', 'name'),
    serviceAccountName: optionalText(value, 'serviceAccountName'),
  }
}

function ignoreOf(entry: unknown): IgnoreRule {
  const field = (name: string): string | undefined => optionalText(entry, 'target', name)
  return {
    paths: textList(entry, 'paths'),
    target: {
      group: field('group'),
      version: field('version'),
      kind: field('kind'),
      name: field('name'),
      namespace: field('namespace'),
      labelSelector: field('labelSelector'),
      annotationSelector: field('annotationSelector'),
    },
  }
}

function policyOf(text: string): Kustomization['deletionPolicy'] {
  return text === 'Delete' || text === 'WaitForTermination' || text === 'Orphan' ? text : 'MirrorPrune'
}

function healthCheckOf(entry: unknown): HealthCheck {
  const kind = readText(entry, 'kind')
  const apiVersion =
    optionalText(entry, 'apiVersion') ?? (kind === 'HelmRelease' ? 'helm.toolkit.fluxcd.io/v2' : 'apps/v1')
  return { apiVersion, kind, namespace: readText(entry, 'namespace'), name: readText(entry, 'name') }
}

function expressionOf(entry: unknown): HealthExpression {
  return {
    apiVersion: readText(entry, 'apiVersion'),
    kind: optionalText(entry, 'kind'),
    current: readText(entry, 'current'),
    inProgress: optionalText(entry, 'inProgress'),
    failed: optionalText(entry, 'failed'),
  }
}
