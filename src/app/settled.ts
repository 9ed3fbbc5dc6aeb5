import type { KubeObject } from '../lib/kube/object.ts'
import { conditionOf, read, readList } from '../lib/kube/read.ts'

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
  const waitingFor = runs(scene) ?? scene.notYetSeen ?? kustomizations(scene) ?? policies(scene) ?? deployments(scene)
  return waitingFor === undefined ? { state: 'healthy' } : { state: 'busy', waitingFor }
}

function runs({ activeRuns }: Scene): string | undefined {
  const [first, ...others] = activeRuns
  if (first === undefined) return undefined
  return others.length === 0 ? first : `${first}, and ${others.length} more workflow runs`
}

function kustomizations({ kustomizations: all, sources }: Scene): string | undefined {
  if (all.length === 0) return 'the Kustomizations'
  const late = all.find((object) => !isAtItsSource(object, sources))
  if (late === undefined) return undefined
  const message = (conditionOf(late, 'Ready')?.message ?? '').trim()
  return `Kustomization ${late.metadata.namespace}/${late.metadata.name}${message === '' ? '' : `: ${message}`}`
}

function isAtItsSource(object: KubeObject, sources: readonly KubeObject[]): boolean {
  if (read(object, 'spec', 'suspend') === true) return true
  if (conditionOf(object, 'Ready')?.status !== 'True') return false
  if (read(object, 'status', 'observedGeneration') !== object.metadata.generation) return false
  const name = read(object, 'spec', 'sourceRef', 'name')
  const namespace = read(object, 'spec', 'sourceRef', 'namespace') ?? object.metadata.namespace
  const source = sources.find(
    (candidate) => candidate.metadata.name === name && candidate.metadata.namespace === namespace,
  )
  return (
    source !== undefined &&
    read(source, 'status', 'artifact', 'revision') === read(object, 'status', 'lastAppliedRevision')
  )
}

function policies({ policies: all, deployments: running }: Scene): string | undefined {
  const images = new Set(
    running.flatMap((deployment) => imagesOf(deployment).map((image) => `${deployment.metadata.namespace} ${image}`)),
  )
  const late = all.find((policy) => !images.has(`${policy.metadata.namespace} ${choiceOf(policy)}`))
  return late === undefined
    ? undefined
    : `the choice of ImagePolicy ${late.metadata.namespace}/${late.metadata.name} to be deployed`
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
