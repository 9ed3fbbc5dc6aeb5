import type { LabelSelector } from '../lib/kube/label-selector.ts'
import type { KubeObject } from '../lib/kube/object.ts'
import { read, readList, readText } from '../lib/kube/read.ts'
import { type GitRef, parseGitRef } from './git-repository.ts'
import { intervalOf } from './duration.ts'
import {
  durationField,
  type FluxMeta,
  optionalText,
  parseFluxMeta,
  statusOf,
  textList,
  textMap,
} from './flux-object.ts'

/** An ImageRepository of any version: one superset, defaults filled in. */
export type ImageRepository = FluxMeta & {
  readonly image: string
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly secretName: string | undefined
  readonly certSecretName: string | undefined
  readonly proxySecretName: string | undefined
  readonly serviceAccountName: string | undefined
  /** `generic`, or a cloud whose own logins are wanted. */
  readonly provider: string
  readonly isInsecure: boolean
  /** Undefined: the default list. */
  readonly exclusionList: readonly string[] | undefined
  /** Namespaces whose policies may use it besides its own. */
  readonly accessFrom: readonly LabelSelector[]
  readonly status: Readonly<Record<string, unknown>>
}

/** `status.latestRef` and its like. */
export type ImageRefStatus = { readonly name: string; readonly tag: string; readonly digest?: string }

/** An ImagePolicy of any version. */
export type ImagePolicy = FluxMeta & {
  readonly repository: { readonly namespace: string; readonly name: string }
  readonly semverRange: string | undefined
  readonly alphabeticalOrder: 'asc' | 'desc' | undefined
  readonly numericalOrder: 'asc' | 'desc' | undefined
  readonly filterTags: { readonly pattern: string; readonly extract: string } | undefined
  readonly digestReflection: 'Never' | 'IfNotPresent' | 'Always'
  readonly intervalMs: number | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly latestRef: ImageRefStatus | undefined
  readonly observedPreviousRef: ImageRefStatus | undefined
  readonly status: Readonly<Record<string, unknown>>
}

/** An ImageUpdateAutomation of any version. */
export type ImageUpdateAutomation = FluxMeta & {
  readonly source: { readonly kind: string; readonly namespace: string; readonly name: string }
  readonly intervalMs: number
  readonly policySelector: LabelSelector | undefined
  /** Whether there is a `spec.git` at all, which is required. */
  readonly hasGit: boolean
  /** Undefined: what the source checks out. */
  readonly checkoutRef: GitRef | undefined
  readonly author: { readonly name: string; readonly email: string }
  readonly messageTemplate: string | undefined
  readonly messageValues: Readonly<Record<string, string>>
  readonly signingKey: { readonly secretName: string; readonly type: string } | undefined
  readonly pushBranch: string | undefined
  readonly pushRefspec: string | undefined
  readonly pushOptions: Readonly<Record<string, string>>
  readonly updatePath: string
  readonly updateStrategy: string
  readonly status: Readonly<Record<string, unknown>>
}

const MINUTE_MS = 60_000

/**
 * Reads an ImageRepository of any API version that Flux ever served.
 *
 * @throws SluiceError OBJECT_INVALID for a duration that is none
 */
export function parseImageRepository(object: KubeObject): ImageRepository {
  const interval = durationField(object, 'interval') ?? MINUTE_MS
  const exclusions = read(object, 'spec', 'exclusionList')
  return {
    image: readText(object, 'spec', 'image'),
    intervalMs: intervalOf(interval),
    timeoutMs: Math.max(durationField(object, 'timeout') ?? interval, 1000),
    secretName: optionalText(object, 'spec', 'secretRef', 'name'),
    certSecretName: optionalText(object, 'spec', 'certSecretRef', 'name'),
    proxySecretName: optionalText(object, 'spec', 'proxySecretRef', 'name'),
    serviceAccountName: optionalText(object, 'spec', 'serviceAccountName'),
    provider: optionalText(object, 'spec', 'provider') ?? 'generic',
    isInsecure: read(object, 'spec', 'insecure') === true,
    exclusionList: Array.isArray(exclusions) ? textList(object, 'spec', 'exclusionList') : undefined,
    accessFrom: readList(object, 'spec', 'accessFrom', 'namespaceSelectors').map(parseSelector),
    status: statusOf(object),
    ...parseFluxMeta(object),
  }
}

/**
 * Reads an ImagePolicy of any API version. Of several rules semver counts first, then alphabetical, then numerical, as in Flux.
 *
 * @throws SluiceError OBJECT_INVALID for a duration that is none
 */
export function parseImagePolicy(object: KubeObject): ImagePolicy {
  const meta = parseFluxMeta(object)
  const rule = read(object, 'spec', 'policy')
  const filter = read(object, 'spec', 'filterTags')
  const reflection = readText(object, 'spec', 'digestReflectionPolicy')
  return {
    repository: {
      namespace: optionalText(object, 'spec', 'imageRepositoryRef', 'namespace') ?? meta.namespace,
      name: readText(object, 'spec', 'imageRepositoryRef', 'name'),
    },
    semverRange: read(rule, 'semver') === undefined ? undefined : readText(rule, 'semver', 'range'),
    alphabeticalOrder: read(rule, 'alphabetical') === undefined ? undefined : orderOf(rule, 'alphabetical'),
    numericalOrder: read(rule, 'numerical') === undefined ? undefined : orderOf(rule, 'numerical'),
    filterTags:
      filter === undefined ? undefined : { pattern: readText(filter, 'pattern'), extract: readText(filter, 'extract') },
    digestReflection: reflection === 'Always' || reflection === 'IfNotPresent' ? reflection : 'Never',
    intervalMs: durationField(object, 'interval'),
    labels: object.metadata.labels ?? {},
    latestRef: parseRef(read(object, 'status', 'latestRef')),
    observedPreviousRef: parseRef(read(object, 'status', 'observedPreviousRef')),
    status: statusOf(object),
    ...meta,
  }
}

/**
 * Reads an ImageUpdateAutomation of any API version.
 *
 * @throws SluiceError OBJECT_INVALID for a duration that is none
 */
export function parseImageUpdateAutomation(object: KubeObject): ImageUpdateAutomation {
  const meta = parseFluxMeta(object)
  const selector = read(object, 'spec', 'policySelector')
  const commit = read(object, 'spec', 'git', 'commit')
  const push = read(object, 'spec', 'git', 'push')
  const checkout = read(object, 'spec', 'git', 'checkout')
  const signing = read(commit, 'signingKey')
  return {
    source: {
      kind: optionalText(object, 'spec', 'sourceRef', 'kind') ?? 'GitRepository',
      namespace: optionalText(object, 'spec', 'sourceRef', 'namespace') ?? meta.namespace,
      name: readText(object, 'spec', 'sourceRef', 'name'),
    },
    intervalMs: intervalOf(durationField(object, 'interval') ?? MINUTE_MS),
    policySelector: selector === undefined ? undefined : parseSelector(selector),
    hasGit: read(object, 'spec', 'git') !== undefined,
    checkoutRef: checkout === undefined ? undefined : parseGitRef(read(checkout, 'ref')),
    author: { name: readText(commit, 'author', 'name'), email: readText(commit, 'author', 'email') },
    messageTemplate: optionalText(commit, 'messageTemplate'),
    messageValues: textMap(commit, 'messageTemplateValues'),
    signingKey:
      signing === undefined
        ? undefined
        : { secretName: readText(signing, 'secretRef', 'name'), type: optionalText(signing, 'type') ?? 'gpg' },
    pushBranch: optionalText(push, 'branch'),
    pushRefspec: optionalText(push, 'refspec'),
    pushOptions: textMap(push, 'options'),
    updatePath: readText(object, 'spec', 'update', 'path'),
    updateStrategy: optionalText(object, 'spec', 'update', 'strategy') ?? 'Setters',
    status: statusOf(object),
    ...meta,
  }
}

/** What is wrong with a selector, in Kubernetes' words; undefined when nothing is. */
export function selectorFault({ matchExpressions = [] }: LabelSelector): string | undefined {
  for (const { operator, values = null } of matchExpressions) {
    const list = `values: Invalid value: ${JSON.stringify(values)}`
    const count = values?.length ?? 0
    if (!['In', 'NotIn', 'Exists', 'DoesNotExist'].includes(operator))
      return `"${operator}" is not a valid label selector operator`
    if (operator.endsWith('In') && count === 0) return `${list}: for 'in', 'notin' operators, values set can't be empty`
    if (operator.endsWith('Exist') || operator === 'Exists')
      if (count > 0) return `${list}: values set must be empty for exists and does not exist`
  }
  return undefined
}

function parseSelector(value: unknown): LabelSelector {
  return {
    matchLabels: textMap(value, 'matchLabels'),
    matchExpressions: readList(value, 'matchExpressions').map((one) => ({
      key: readText(one, 'key'),
      operator: readText(one, 'operator'),
      ...(Array.isArray(read(one, 'values')) ? { values: textList(one, 'values') } : {}),
    })),
  }
}

function parseRef(value: unknown): ImageRefStatus | undefined {
  const [name, tag, digest] = [readText(value, 'name'), readText(value, 'tag'), readText(value, 'digest')]
  if (name === '') return undefined
  return digest === '' ? { name, tag } : { name, tag, digest }
}

function orderOf(rule: unknown, kind: string): 'asc' | 'desc' {
  return readText(rule, kind, 'order') === 'desc' ? 'desc' : 'asc'
}
