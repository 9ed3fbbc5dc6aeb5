import { groupOf, type KubeObject } from '../../lib/kube/object.ts'
import { read, readList, readText } from '../../lib/kube/read.ts'

/** How far an object is. */
export type Health = 'Current' | 'InProgress' | 'Failed' | 'Terminating' | 'NotFound' | 'Unknown'

/** A judgement and why. */
export type Judgement = { readonly health: Health; readonly why: string }

/** How long a pod may be unschedulable before it counts as failed; a moment is normal while nodes come and go. */
const SCHEDULE_WINDOW_MS = 15_000

/**
 * Judges one object as kstatus does: generation seen, conditions Reconciling and Stalled, then what its kind knows of itself.
 *
 * A kind that is not known and shows no condition is Current.
 * @param nowMs only pods that cannot be scheduled need it
 * @see https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus
 */
export function judge(object: KubeObject | undefined, nowMs: number): Judgement {
  if (object === undefined) return { health: 'NotFound', why: 'Resource not found' }
  return judgeGeneric(object) ?? judgeByKind(object, nowMs) ?? judgeReady(object) ?? current('Resource is current')
}

function judgeGeneric(object: KubeObject): Judgement | undefined {
  if (object.metadata.deletionTimestamp !== undefined)
    return { health: 'Terminating', why: 'Resource scheduled for deletion' }
  const observed = read(object, 'status', 'observedGeneration')
  const { generation } = object.metadata
  if (typeof observed === 'number' && generation !== undefined && observed !== generation)
    return inProgress(`${object.kind} generation is ${generation}, but latest observed generation is ${observed}`)
  if (conditionStatus(object, 'Reconciling') === 'True') return inProgress(conditionMessage(object, 'Reconciling'))
  if (conditionStatus(object, 'Stalled') === 'True') return failed(conditionMessage(object, 'Stalled'))
  return undefined
}

function judgeReady(object: KubeObject): Judgement | undefined {
  const ready = conditionStatus(object, 'Ready')
  if (ready === undefined) return undefined
  return ready === 'True' ? current('Resource is Ready') : inProgress(conditionMessage(object, 'Ready'))
}

function judgeByKind(object: KubeObject, nowMs: number): Judgement | undefined {
  switch (`${groupOf(object.apiVersion)}/${object.kind}`) {
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
      return readText(object, 'status', 'phase') === 'Bound' ? current('PVC is Bound') : inProgress('PVC is not Bound')
    case '/Service':
      return judgeService(object)
    case '/ConfigMap':
    case '/Secret':
    case 'batch/CronJob':
      return current('Resource is always ready')
    case 'policy/PodDisruptionBudget':
      return current('AllowedDisruptions has been computed')
    case 'batch/Job':
      return judgeJob(object)
    case 'apiextensions.k8s.io/CustomResourceDefinition':
      return judgeDefinition(object)
    default:
      return undefined
  }
}

function judgeDeployment(object: KubeObject): Judgement {
  const isLimited =
    read(object, 'spec', 'progressDeadlineSeconds') !== undefined &&
    read(object, 'spec', 'progressDeadlineSeconds') !== 2 ** 31 - 1
  const progressing = condition(object, 'Progressing')
  if (isLimited) {
    if (readText(progressing, 'reason') === 'ProgressDeadlineExceeded') return failed('Progress deadline exceeded')
    if (progressing !== undefined && read(progressing, 'status') !== 'True')
      return inProgress('Deployment does not progress')
  }
  const wanted = count(object, 'spec', 'replicas', 1)
  const shown = statusCounts(object, 'replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas')
  if (wanted > shown.replicas) return inProgress(`replicas: ${shown.replicas}/${wanted}`)
  if (wanted > shown.updatedReplicas) return inProgress(`Updated: ${shown.updatedReplicas}/${wanted}`)
  if (shown.replicas > wanted) return inProgress(`Pending termination: ${shown.replicas - wanted}`)
  if (shown.updatedReplicas > shown.availableReplicas)
    return inProgress(`Available: ${shown.availableReplicas}/${shown.updatedReplicas}`)
  if (wanted > shown.readyReplicas) return inProgress(`Ready: ${shown.readyReplicas}/${wanted}`)
  if (isLimited && readText(progressing, 'reason') !== 'NewReplicaSetAvailable')
    return inProgress('ReplicaSet not Available')
  if (conditionStatus(object, 'Available') !== 'True') return inProgress('Deployment not Available')
  return current(`Deployment is available. Replicas: ${shown.replicas}`)
}

function judgeStatefulSet(object: KubeObject): Judgement {
  if (readText(object, 'spec', 'updateStrategy', 'type') === 'OnDelete')
    return current('StatefulSet is using the ondelete update strategy')
  const wanted = count(object, 'spec', 'replicas', 1)
  const shown = statusCounts(object, 'replicas', 'readyReplicas', 'currentReplicas', 'updatedReplicas')
  if (wanted > shown.replicas) return inProgress(`Replicas: ${shown.replicas}/${wanted}`)
  if (wanted > shown.readyReplicas) return inProgress(`Ready: ${shown.readyReplicas}/${wanted}`)
  const partition = read(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition')
  if (typeof partition === 'number' && partition > 0) {
    if (shown.updatedReplicas < wanted - partition)
      return inProgress(`updated: ${shown.updatedReplicas}/${wanted - partition}`)
    return current(`Partition rollout complete. updated: ${shown.updatedReplicas}`)
  }
  if (shown.replicas > wanted) return inProgress(`Pending termination: ${shown.replicas - wanted}`)
  if (wanted > shown.currentReplicas) return inProgress(`current: ${shown.currentReplicas}/${wanted}`)
  const revision = readText(object, 'status', 'currentRevision')
  if (revision !== readText(object, 'status', 'updateRevision'))
    return inProgress('Waiting for updated revision to match current')
  return current(`All replicas scheduled as expected. Replicas: ${shown.replicas}`)
}

function judgeReplicaSet(object: KubeObject): Judgement {
  if (conditionStatus(object, 'ReplicaFailure') === 'True') return inProgress('Replica Failure condition. Check Pods')
  const wanted = count(object, 'spec', 'replicas', 1)
  const shown = statusCounts(object, 'replicas', 'readyReplicas', 'availableReplicas', 'fullyLabeledReplicas')
  if (wanted > shown.fullyLabeledReplicas) return inProgress(`Labelled: ${shown.fullyLabeledReplicas}/${wanted}`)
  if (wanted > shown.availableReplicas) return inProgress(`Available: ${shown.availableReplicas}/${wanted}`)
  if (wanted > shown.readyReplicas) return inProgress(`Ready: ${shown.readyReplicas}/${wanted}`)
  if (shown.replicas > wanted) return inProgress(`Pending termination: ${shown.replicas - wanted}`)
  return current(`ReplicaSet is available. Replicas: ${shown.replicas}`)
}

function judgeDaemonSet(object: KubeObject): Judgement {
  if (read(object, 'status', 'observedGeneration') === undefined)
    return inProgress('Missing .status.observedGeneration')
  if (read(object, 'status', 'desiredNumberScheduled') === undefined)
    return inProgress('Missing .status.desiredNumberScheduled')
  const wanted = count(object, 'status', 'desiredNumberScheduled', 0)
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

function judgePod(object: KubeObject, nowMs: number): Judgement {
  const phase = readText(object, 'status', 'phase')
  if (phase === 'Succeeded') return current('Pod has completed successfully')
  if (phase === 'Failed') return current('Pod has completed, but not successfully')
  if (phase === 'Running') {
    if (conditionStatus(object, 'Ready') === 'True') return current('Pod is Ready')
    const crashing = crashingContainers(object)
    if (crashing.length > 0) return failed(`Containers in CrashLoop state: ${crashing.join(',')}`)
    return inProgress('Pod is running but is not Ready')
  }
  const scheduled = condition(object, 'PodScheduled')
  if (
    phase === 'Pending' &&
    read(scheduled, 'status') === 'False' &&
    readText(scheduled, 'reason') === 'Unschedulable'
  ) {
    const createdMs = Date.parse(object.metadata.creationTimestamp ?? '')
    if (nowMs - createdMs < SCHEDULE_WINDOW_MS) return inProgress('Pod has not been scheduled')
    return failed('Pod could not be scheduled')
  }
  return inProgress(phase === '' ? 'Pod phase not available' : 'Pod is in the Pending phase')
}

function crashingContainers(object: KubeObject): string[] {
  return ['initContainerStatuses', 'containerStatuses']
    .flatMap((list) => readList(object, 'status', list))
    .filter((entry) => readText(entry, 'state', 'waiting', 'reason') === 'CrashLoopBackOff')
    .map((entry) => readText(entry, 'name'))
}

function judgeService(object: KubeObject): Judgement {
  const isBalancer = readText(object, 'spec', 'type') === 'LoadBalancer'
  if (isBalancer && readText(object, 'spec', 'clusterIP') === '')
    return inProgress('ClusterIP not set. Service type: LoadBalancer')
  return current('Service is ready')
}

function judgeJob(object: KubeObject): Judgement {
  if (conditionStatus(object, 'Complete') === 'True') return current('Job Completed')
  if (conditionStatus(object, 'Failed') === 'True') return failed(conditionMessage(object, 'Failed'))
  if (conditionStatus(object, 'Suspended') === 'True') return current('Job Suspended')
  if (readText(object, 'status', 'startTime') === '') return inProgress('Job not started')
  return inProgress('Job in progress')
}

function judgeDefinition(object: KubeObject): Judgement {
  const names = condition(object, 'NamesAccepted')
  if (read(names, 'status') === 'False') return failed(readText(names, 'message'))
  const established = condition(object, 'Established')
  if (read(established, 'status') === 'True') return current('CRD is established')
  if (read(established, 'status') === 'False' && readText(established, 'reason') !== 'Installing')
    return failed(readText(established, 'message'))
  return inProgress('Install in progress')
}

function condition(object: unknown, type: string): unknown {
  return readList(object, 'status', 'conditions').find((entry) => read(entry, 'type') === type)
}

function conditionStatus(object: unknown, type: string): string | undefined {
  const found = condition(object, type)
  return found === undefined ? undefined : readText(found, 'status')
}

function conditionMessage(object: unknown, type: string): string {
  return readText(condition(object, type), 'message')
}

function count(object: unknown, part: string, field: string, fallback: number): number {
  const found = read(object, part, field)
  return typeof found === 'number' ? found : fallback
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
