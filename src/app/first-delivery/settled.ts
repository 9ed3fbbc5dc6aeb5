import type { KubeObject } from '../../lib/kube/object.ts'
import { shortBuildCause } from '../../pipeline/build/short-cause.ts'
import { isSuspended } from '../../kinds/flux-object.ts'
import { conditionOf, read, readList } from '../../lib/kube/read.ts'
import { haltOf } from '../../pipeline/record/halt.ts'

/** What `sluice up` looks at to tell whether the first delivery has arrived. */
export type Scene = {
  /** Workflow runs that have not ended, for people; the oldest first. */
  readonly activeRuns: readonly string[]
  /** Causes of runs that failed, for the commits that the branches are at. */
  readonly failedRuns: readonly string[]
  /** What the engine has not looked at since it changed. */
  readonly notYetSeen: string | undefined
  readonly sources: readonly KubeObject[]
  readonly kustomizations: readonly KubeObject[]
  readonly policies: readonly KubeObject[]
  readonly automations: readonly KubeObject[]
  readonly deployments: readonly KubeObject[]
}

/** `busy` names what is still on its way; `failed` what will not arrive by itself. */
export type Verdict =
  | { readonly state: 'healthy' }
  | { readonly state: 'busy'; readonly waitingFor: string }
  | { readonly state: 'failed'; readonly causes: readonly string[] }

/**
 * Judges whether everything that Git describes runs: workflows ended, policies' choices deployed, Kustomizations ready at the
 * sources' revision, Deployments available. Pure.
 */
export function judge(scene: Scene): Verdict {
  if (scene.failedRuns.length > 0) return { state: 'failed', causes: scene.failedRuns }
  const comesFirst = runs(scene) ?? scene.notYetSeen
  if (comesFirst !== undefined) return { state: 'busy', waitingFor: comesFirst }
  const causes = stuckKustomizations(scene)
  if (causes.length > 0) return { state: 'failed', causes }
  const unwritten = kustomizations(scene) === undefined ? unwrittenChoices(scene) : []
  if (unwritten.length > 0) return { state: 'failed', causes: unwritten }
  const waitingFor = kustomizations(scene) ?? policies(scene) ?? deployments(scene)
  return waitingFor === undefined ? { state: 'healthy' } : { state: 'busy', waitingFor }
}

function runs({ activeRuns }: Scene): string | undefined {
  const [first, ...others] = activeRuns
  if (first === undefined) return undefined
  return others.length === 0 ? first : `${first}, and ${others.length} more workflow runs`
}

/** Why nothing more will come of what is late; empty while something may. */
function stuckKustomizations({ kustomizations: all, sources }: Scene): readonly string[] {
  const late = all.filter((object) => !isAtItsSource(object, sources))
  const failed = late.filter((object) => hasFailed(object, sources))
  const isHeldUp = (object: KubeObject): boolean => reasonOf(object) === 'DependencyNotReady'
  return late.every((object) => failed.includes(object) || isHeldUp(object)) ? failed.map(describe) : []
}

/**
 * Whether the object says that it cannot go on, or the newest commit was refused for good. A build fails again as it failed; what a
 * server refused or what is not healthy gets a second try, by when what it needs may have come from elsewhere.
 */
function hasFailed(object: KubeObject, sources: readonly KubeObject[]): boolean {
  if (conditionOf(object, 'Stalled')?.status === 'True') return true
  const isNewest = read(object, 'status', 'lastAttemptedRevision') === revisionOf(sourceOf(object, sources))
  if (!isNewest || !isOfThisGeneration(object) || conditionOf(object, 'Ready')?.status !== 'False') return false
  if (reasonOf(object) === 'BuildFailed') return true
  const [last] = readList(object, 'status', 'history')
  return read(last, 'lastReconciledStatus') === reasonOf(object) && Number(read(last, 'totalReconciliations')) > 1
}

/** Of a failure only its condition tells: `status.observedGeneration` is that of the last success, as in Flux. */
function isOfThisGeneration(object: KubeObject): boolean {
  const ready = readList(object, 'status', 'conditions').find((one) => read(one, 'type') === 'Ready')
  return read(ready, 'observedGeneration') === object.metadata.generation
}

function reasonOf(object: KubeObject): string | undefined {
  return conditionOf(object, 'Ready')?.reason
}

function kustomizations({ kustomizations: all, sources }: Scene): string | undefined {
  if (all.length === 0) return 'the Kustomizations'
  const late = all.find((object) => !isAtItsSource(object, sources))
  return late && describe(late)
}

function describe(object: KubeObject): string {
  const message = shortBuildCause((conditionOf(object, 'Ready')?.message ?? '').trim())
  return `Kustomization ${object.metadata.namespace}/${object.metadata.name}${message === '' ? '' : `: ${message}`}`
}

function isAtItsSource(object: KubeObject, sources: readonly KubeObject[]): boolean {
  if (isSuspended(object)) return true
  if (conditionOf(object, 'Ready')?.status !== 'True') return false
  if (read(object, 'status', 'observedGeneration') !== object.metadata.generation) return false
  const source = sourceOf(object, sources)
  return source !== undefined && revisionOf(source) === read(object, 'status', 'lastAppliedRevision')
}

function sourceOf(object: KubeObject, sources: readonly KubeObject[]): KubeObject | undefined {
  const name = read(object, 'spec', 'sourceRef', 'name')
  const namespace = read(object, 'spec', 'sourceRef', 'namespace') ?? object.metadata.namespace
  return sources.find((candidate) => candidate.metadata.name === name && candidate.metadata.namespace === namespace)
}

function revisionOf(source: KubeObject | undefined): unknown {
  return source && read(source, 'status', 'artifact', 'revision')
}

function policies(scene: Scene): string | undefined {
  const [late] = latePolicies(scene)
  return late && `the choice of ImagePolicy ${late.metadata.namespace}/${late.metadata.name} to be deployed`
}

function latePolicies({ policies: all, deployments: running }: Scene): readonly KubeObject[] {
  const images = new Set(
    running.flatMap((deployment) => imagesOf(deployment).map((image) => `${deployment.metadata.namespace} ${image}`)),
  )
  return all.filter((policy) => !images.has(`${policy.metadata.namespace} ${choiceOf(policy)}`))
}

/** Choices that nobody writes to Git, because somebody suspended who would: no time changes that. */
function unwrittenChoices(scene: Scene): readonly string[] {
  return latePolicies(scene).flatMap((policy) => {
    const { namespace, name } = policy.metadata
    const own = scene.automations.filter(({ metadata }) => metadata.namespace === namespace)
    const [first] = own
    if (first === undefined || !own.every(isSuspended)) return []
    const who = `ImageUpdateAutomation ${namespace}/${first.metadata.name} ${haltOf(first)}`
    return [`${choiceOf(policy)}, the choice of ImagePolicy ${namespace}/${name}, is not written to Git: ${who}`]
  })
}

function choiceOf(policy: KubeObject): string {
  return `${String(read(policy, 'status', 'latestRef', 'name'))}:${String(read(policy, 'status', 'latestRef', 'tag'))}`
}

function imagesOf(deployment: KubeObject): readonly string[] {
  return readList(deployment, 'spec', 'template', 'spec', 'containers').map((container) =>
    String(read(container, 'image')),
  )
}

function deployments({ deployments: all }: Scene): string | undefined {
  const late = all.find((deployment) => !isAvailable(deployment))
  return late === undefined ? undefined : `Deployment ${late.metadata.namespace}/${late.metadata.name}`
}

function isAvailable(deployment: KubeObject): boolean {
  if (read(deployment, 'status', 'observedGeneration') !== deployment.metadata.generation) return false
  const wanted = read(deployment, 'spec', 'replicas')
  return ['updatedReplicas', 'availableReplicas', 'replicas'].every(
    (count) => (read(deployment, 'status', count) ?? 0) === wanted,
  )
}
