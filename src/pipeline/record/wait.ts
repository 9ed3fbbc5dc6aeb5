import { parseImagePolicy } from '../../kinds/image.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { read, readText } from '../../lib/kube/read.ts'
import { causeOfWorkload, type Running } from '../health/first-cause.ts'
import { whyNotChosen } from '../image/not-chosen.ts'
import { BORDERS, type Border, type Delivery, type Passage } from './delivery.ts'
import { haltOf } from './halt.ts'
import type { Ledger } from './ledger.ts'

/**
 * The objects that work for deliveries, as the cluster shows them now.
 *
 * No fact tells that one of them is missing, suspended or not ready yet, so what a delivery waits for is read from them, not from the record.
 */
export type Helpers = Running & {
  readonly policies: readonly KubeObject[]
  readonly imageRepositories: readonly KubeObject[]
  readonly automations: readonly KubeObject[]
  readonly kustomizations: readonly KubeObject[]
  readonly sources: readonly KubeObject[]
  /** Whatever else may be suspended or not ready: Receivers, Alerts, … */
  readonly others: readonly KubeObject[]
}

/** All of them that are objects of Flux's kinds. */
export function fluxObjectsOf(helpers: Helpers): readonly KubeObject[] {
  const { kustomizations, sources, imageRepositories, policies, automations, others } = helpers
  return [...sources, ...kustomizations, ...imageRepositories, ...policies, ...automations, ...others]
}

/** The border before which something stands, and why it does not pass. */
export type Wait = { readonly border: Border; readonly cause: string }

/** What a delivery that is on its way waits for; `undefined` when it goes on by itself, as far as can be seen. Pure. */
export function waitOf(delivery: Delivery, helpers: Helpers): Wait | undefined {
  if (delivery.state !== 'running') return undefined
  const border = nextBorder(delivery)
  const cause = border && causeAt(border, delivery, helpers)
  return border && cause !== undefined ? { border, cause } : undefined
}

/** The same for a commit that no delivery tells of: it waits for what its Kustomization applied. */
export function waitOfPassage(passage: Passage, ledger: Ledger, helpers: Helpers): Wait | undefined {
  const border = nextBorder(passage)
  if (border !== 'health') return undefined
  const workloads = [...ledger.workloads.values()].filter((one) => one.kustomization === passage.kustomization)
  const causes = workloads.flatMap(({ namespace, name }) => causeOfWorkload(namespace, name, helpers) ?? [])
  return causes.length === 0 ? undefined : { border, cause: causes.join('; ') }
}

function nextBorder({ borders }: Pick<Passage, 'borders'>): Border | undefined {
  return BORDERS[BORDERS.findLastIndex((name) => borders[name]?.state === 'done') + 1]
}

function causeAt(border: Border, delivery: Delivery, helpers: Helpers): string | undefined {
  switch (border) {
    case 'policy':
      return whyNobodyChooses(delivery, helpers)
    case 'write-back':
      return whyNobodyWrites(delivery, helpers)
    case 'source':
    case 'build':
    case 'apply':
      return whyNotTaken(delivery, helpers)
    case 'health':
      return causeOfWorkload(delivery.environment, delivery.service, helpers) ?? whyNotTaken(delivery, helpers)
    default:
      return undefined
  }
}

function whyNobodyChooses({ environment, image = '', version }: Delivery, helpers: Helpers): string | undefined {
  const repositories = helpers.imageRepositories.filter((one) => readText(one, 'spec', 'image') === image)
  const policies = helpers.policies.filter(
    (policy) => policy.metadata.namespace === environment && repositories.some((one) => isOf(policy, one)),
  )
  if (policies.length === 0) return `no ImagePolicy in namespace ${environment} chooses among the tags of ${image}`
  const causes = policies.map(
    (policy) => haltIn(repositories.filter((one) => isOf(policy, one))) ?? refusal(policy, version),
  )
  return causes.some((cause) => cause === undefined) ? undefined : causes.join('; ')
}

function isOf(policy: KubeObject, repository: KubeObject): boolean {
  const namespace = readText(policy, 'spec', 'imageRepositoryRef', 'namespace') || policy.metadata.namespace
  const { metadata } = repository
  return metadata.namespace === namespace && metadata.name === readText(policy, 'spec', 'imageRepositoryRef', 'name')
}

function refusal(policy: KubeObject, tag: string): string | undefined {
  try {
    return whyNotChosen(parseImagePolicy(policy), tag)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    return `ImagePolicy ${policy.metadata.namespace ?? ''}/${policy.metadata.name}: ${error.message}`
  }
}

function whyNobodyWrites({ environment, image, version }: Delivery, { automations }: Helpers): string | undefined {
  const own = automations.filter(({ metadata }) => metadata.namespace === environment)
  if (own.length === 0)
    return `no ImageUpdateAutomation in namespace ${environment} writes ${image ?? 'it'}:${version} to Git`
  return own.every((one) => haltOf(one) !== undefined) ? haltIn(own) : undefined
}

function whyNotTaken({ kustomization }: Delivery, { kustomizations, sources }: Helpers): string | undefined {
  const found = kustomizations.find(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}` === kustomization)
  if (found === undefined) return undefined
  const source = sources.filter(
    ({ kind, metadata }) =>
      kind === readText(found, 'spec', 'sourceRef', 'kind') &&
      metadata.name === read(found, 'spec', 'sourceRef', 'name') &&
      metadata.namespace === (readText(found, 'spec', 'sourceRef', 'namespace') || found.metadata.namespace),
  )
  return haltIn(source) ?? haltIn([found])
}

function haltIn(objects: readonly KubeObject[]): string | undefined {
  for (const object of objects) {
    const cause = haltOf(object)
    if (cause !== undefined) return `${object.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name} ${cause}`
  }
  return undefined
}
