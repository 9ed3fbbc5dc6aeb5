import { SluiceError } from '../../lib/error/sluice-error.ts'
import { groupOf, type KubeObject } from '../../lib/kube/object.ts'
import { type Condition, read, readList, readText } from '../../lib/kube/read.ts'
import { readConditions, readInteger } from './conditions.ts'

/** How far an object is. */
export type Health = 'Current' | 'InProgress' | 'Failed' | 'Terminating' | 'NotFound' | 'Unknown'

/** A judgement and why. */
export type Judgement = { readonly health: Health; readonly why: string }

/** How long a pod may be unschedulable before it counts as failed; a moment is normal while nodes come and go. */
const SCHEDULE_WINDOW_MS = 15_000

/**
 * Judges one object as kstatus does: generation seen, conditions Reconciling and Stalled, then what its kind knows of itself.
 *
 * A kind that is not known and shows no condition is Current; what is of no known form is Unknown.
 * @param nowMs only pods that cannot be scheduled need it
 * @see https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus
 */
export function judge(object: KubeObject | undefined, nowMs: number): Judgement {
  if (object === undefined) return { health: 'NotFound', why: 'Resource not found' }
  try {
    return judgeByKind(object, nowMs)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    return { health: 'Unknown', why: error.message }
  }
}

function judgeGeneric(object: KubeObject): Judgement | undefined {
  const { deletionTimestamp } = object.metadata
  if (deletionTimestamp !== undefined && deletionTimestamp !== '')
    return { health: 'Terminating', why: 'Resource scheduled for deletion' }
  const generation = readInteger(object, 'metadata', 'generation')
  const observed = generation === undefined ? undefined : readInteger(object, 'status', 'observedGeneration')
  if (observed !== undefined && observed !== generation)
    return inProgress(`${object.kind} generation is ${generation}, but latest observed generation is ${observed}`)
  const found = readConditions(object).find(
    ({ type, status }) => (type === 'Reconciling' || type === 'Stalled') && status === 'True',
  )
  if (found === undefined) return undefined
  return found.type === 'Stalled' ? failed(found.message) : inProgress(found.message)
}

function judgeReady(object: KubeObject): Judgement {
  const ready = readConditions(object).find(
    ({ type, status }) => type === 'Ready' && ['True', 'False', 'Unknown'].includes(status),
  )
  if (ready === undefined) return current('Resource is current')
  return ready.status === 'True' ? current('Resource is Ready') : inProgress(ready.message)
}

function judgeByKind(object: KubeObject, nowMs: number): Judgement {
  const kind = `${groupOf(object.apiVersion)}/${object.kind}`
  // Flux reads Jobs by a rule of its own, whatever else they say.
  if (kind === 'batch/Job') return judgeJob(object)
  return judgeGeneric(object) ?? judgeOwnRule(object, kind, nowMs) ?? judgeReady(object)
}

function judgeOwnRule(object: KubeObject, kind: string, nowMs: number): Judgement | undefined {
  switch (kind) {
    case 'apps/Deployment':
    case 'extensions/Deployment':
      return judgeDeployment(object)
    case 'apps/StatefulSet':
      return judgeStatefulSet(object)
    case 'apps/ReplicaSet':
    case 'extensions/ReplicaSet':
      return judgeReplicaSet(object)
    case 'apps/DaemonSet':
    case 'extensions/DaemonSet':
      return judgeDaemonSet(object)
    case '/Pod':
      return judgePod(object, nowMs)
    case '/PersistentVolumeClaim':
      return judgeClaim(object)
    case '/Service':
      return judgeService(object)
    case '/ConfigMap':
    case '/Secret':
    case 'batch/CronJob':
      return current('Resource is always ready')
    case 'policy/PodDisruptionBudget':
      return current('AllowedDisruptions has been computed.')
    case 'apiextensions.k8s.io/CustomResourceDefinition':
      return judgeDefinition(object)
    default:
      return undefined
  }
}

/** A deadline that the controller takes for none. */
const NO_DEADLINE = 2 ** 31 - 1

function judgeDeployment(object: KubeObject): Judgement {
  const conditions = readConditions(object)
  const isLate = (one: Condition): boolean => one.type === 'Progressing' && one.reason === 'ProgressDeadlineExceeded'
  if (conditions.some(isLate)) return failed('Progress deadline exceeded')
  const wanted = count(object, 'spec', 'replicas', 1)
  const shown = statusCounts(object, 'replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas')
  if (wanted > shown.replicas) return inProgress(`Replicas: ${shown.replicas}/${wanted}`)
  if (wanted > shown.updatedReplicas) return inProgress(`Updated: ${shown.updatedReplicas}/${wanted}`)
  if (shown.replicas > wanted) return inProgress(`Pending termination: ${shown.replicas - wanted}`)
  if (shown.updatedReplicas > shown.availableReplicas)
    return inProgress(`Available: ${shown.availableReplicas}/${shown.updatedReplicas}`)
  if (wanted > shown.readyReplicas) return inProgress(`Ready: ${shown.readyReplicas}/${wanted}`)
  const isDone = conditions.some(
    ({ reason, ...one }) => isTrue(one, 'Progressing') && reason === 'NewReplicaSetAvailable',
  )
  const isLimited = count(object, 'spec', 'progressDeadlineSeconds', NO_DEADLINE) !== NO_DEADLINE
  if (isLimited && !isDone) return inProgress('ReplicaSet not Available')
  if (!conditions.some((one) => isTrue(one, 'Available'))) return inProgress('Deployment not Available')
  return current(`Deployment is available. Replicas: ${shown.replicas}`)
}

function judgeStatefulSet(object: KubeObject): Judgement {
  if (readText(object, 'spec', 'updateStrategy', 'type') === 'OnDelete')
    return current('StatefulSet is using the ondelete update strategy')
  const wanted = count(object, 'spec', 'replicas', 1)
  const shown = statusCounts(object, 'replicas', 'readyReplicas', 'currentReplicas', 'updatedReplicas')
  if (wanted > shown.replicas) return inProgress(`Replicas: ${shown.replicas}/${wanted}`)
  if (wanted > shown.readyReplicas) return inProgress(`Ready: ${shown.readyReplicas}/${wanted}`)
  if (shown.replicas > wanted) return inProgress(`Pending termination: ${shown.replicas - wanted}`)
  const partition = read(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition')
  if (Number.isInteger(partition) && partition !== -1) return judgePartition(Number(partition), wanted, shown)
  if (wanted > shown.currentReplicas) return inProgress(`current: ${shown.currentReplicas}/${wanted}`)
  const revision = readText(object, 'status', 'currentRevision')
  if (revision !== readText(object, 'status', 'updateRevision'))
    return inProgress('Waiting for updated revision to match current')
  return current(`All replicas scheduled as expected. Replicas: ${shown.replicas}`)
}

function judgePartition(partition: number, wanted: number, { updatedReplicas }: { readonly updatedReplicas: number }) {
  if (updatedReplicas < wanted - partition) return inProgress(`updated: ${updatedReplicas}/${wanted - partition}`)
  return current(`Partition rollout complete. updated: ${updatedReplicas}`)
}

function judgeReplicaSet(object: KubeObject): Judgement {
  if (readConditions(object).some((one) => isTrue(one, 'ReplicaFailure')))
    return inProgress('Replica Failure condition. Check Pods')
  const wanted = count(object, 'spec', 'replicas', 1)
  const shown = statusCounts(object, 'replicas', 'readyReplicas', 'availableReplicas', 'fullyLabeledReplicas')
  if (wanted > shown.fullyLabeledReplicas) return inProgress(`Labelled: ${shown.fullyLabeledReplicas}/${wanted}`)
  if (wanted > shown.availableReplicas) return inProgress(`Available: ${shown.availableReplicas}/${wanted}`)
  if (wanted > shown.readyReplicas) return inProgress(`Ready: ${shown.readyReplicas}/${wanted}`)
  if (shown.replicas > wanted) return inProgress(`Pending termination: ${shown.replicas - wanted}`)
  return current(`ReplicaSet is available. Replicas: ${shown.replicas}`)
}

function judgeDaemonSet(object: KubeObject): Judgement {
  if (readInteger(object, 'metadata', 'generation') === undefined)
    return inProgress(`${object.kind} metadata.generation not found`)
  if (readInteger(object, 'status', 'observedGeneration') === undefined)
    return inProgress(`${object.kind} status.observedGeneration not found`)
  const wanted = count(object, 'status', 'desiredNumberScheduled', -1)
  if (wanted === -1) return inProgress('Missing .status.desiredNumberScheduled')
  const shown = statusCounts(
    object,
    'currentNumberScheduled',
    'updatedNumberScheduled',
    'numberAvailable',
    'numberReady',
  )
  if (wanted > shown.currentNumberScheduled) return inProgress(`Current: ${shown.currentNumberScheduled}/${wanted}`)
  if (wanted > shown.updatedNumberScheduled) return inProgress(`Updated: ${shown.updatedNumberScheduled}/${wanted}`)
  if (wanted > shown.numberAvailable) return inProgress(`Available: ${shown.numberAvailable}/${wanted}`)
  if (wanted > shown.numberReady) return inProgress(`Ready: ${shown.numberReady}/${wanted}`)
  return current(`All replicas scheduled as expected. Replicas: ${wanted}`)
}

function judgeClaim(object: KubeObject): Judgement {
  const phase = read(object, 'status', 'phase')
  if (phase === 'Bound') return current('PVC is Bound')
  return inProgress(`PVC is not Bound. phase: ${typeof phase === 'string' ? phase : 'unknown'}`)
}

function judgePod(object: KubeObject, nowMs: number): Judgement {
  const conditions = readConditions(object)
  const phase = readText(object, 'status', 'phase')
  switch (phase) {
    case 'Succeeded':
      return current('Pod has completed successfully')
    case 'Failed':
      return current('Pod has completed, but not successfully')
    case 'Running':
      return conditions.some((one) => isTrue(one, 'Ready')) ? current('Pod is Ready') : judgeRunning(object)
    case 'Pending':
      return judgePending(object, conditions, nowMs)
    case '':
      return inProgress('Pod phase not available')
    default:
      return { health: 'Unknown', why: `unknown phase ${phase}` }
  }
}

function judgeRunning(object: KubeObject): Judgement {
  const crashing = readList(object, 'status', 'containerStatuses')
    .filter((entry) => readText(entry, 'state', 'waiting', 'reason') === 'CrashLoopBackOff')
    .map((entry) => readText(entry, 'name'))
  if (crashing.length > 0) return failed(`Containers in CrashLoop state: ${crashing.join(',')}`)
  return inProgress('Pod is running but is not Ready')
}

function judgePending(object: KubeObject, conditions: readonly Condition[], nowMs: number): Judgement {
  const refused = conditions.find(({ type, status }) => type === 'PodScheduled' && status === 'False')
  if (refused?.reason !== 'Unschedulable') return inProgress('Pod is in the Pending phase')
  const createdMs = Date.parse(object.metadata.creationTimestamp ?? '')
  if (nowMs - createdMs < SCHEDULE_WINDOW_MS) return inProgress('Pod has not been scheduled')
  return failed('Pod could not be scheduled')
}

function judgeService(object: KubeObject): Judgement {
  const isBalancer = readText(object, 'spec', 'type') === 'LoadBalancer'
  if (isBalancer && readText(object, 'spec', 'clusterIP') === '')
    return inProgress('ClusterIP not set. Service type: LoadBalancer')
  return current('Service is ready')
}

/** Unlike kstatus' own rule: a Job that runs is not done, and one that is suspended is not waited for. */
function judgeJob(object: KubeObject): Judgement {
  if (read(object, 'spec', 'suspend') === true) return current('Job is suspended')
  const parallelism = count(object, 'spec', 'parallelism', 1)
  const completions = count(object, 'spec', 'completions', parallelism)
  const { active, succeeded, failed: lost } = statusCounts(object, 'active', 'succeeded', 'failed')
  const end = readConditions(object).find((one) => isTrue(one, 'Complete') || isTrue(one, 'Failed'))
  if (end?.type === 'Complete') return current(`Job Completed. succeeded: ${succeeded}/${completions}`)
  if (end) return failed(`Job Failed. failed: ${lost}/${completions}`)
  if (readText(object, 'status', 'startTime') === '') return inProgress(`Job not started. active: 0/${parallelism}`)
  return inProgress(`Job in progress. success:${succeeded}, active: ${active}, failed: ${lost}`)
}

function judgeDefinition(object: KubeObject): Judgement {
  for (const { type, status, reason, message } of readConditions(object)) {
    if (type === 'NamesAccepted' && status === 'False') return failed(message)
    if (type === 'Established' && status === 'False' && reason !== 'Installing') return failed(message)
    if (type === 'Established' && status === 'True') return current('CRD is established')
  }
  return inProgress('Install in progress')
}

function isTrue({ type, status }: Pick<Condition, 'type' | 'status'>, wanted: string): boolean {
  return type === wanted && status === 'True'
}

function count(object: unknown, part: string, field: string, fallback: number): number {
  const found = read(object, part, field)
  return Number.isInteger(found) ? Number(found) : fallback
}

function statusCounts<Field extends string>(
  object: unknown,
  ...fields: readonly Field[]
): Readonly<Record<Field, number>> {
  const counts: Partial<Record<Field, number>> = {}
  for (const field of fields) counts[field] = count(object, 'status', field, 0)
  return counts as Record<Field, number>
}

function current(why: string): Judgement {
  return { health: 'Current', why }
}

function inProgress(why: string): Judgement {
  return { health: 'InProgress', why }
}

function failed(why: string): Judgement {
  return { health: 'Failed', why }
}
