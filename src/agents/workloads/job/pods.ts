import { controlledBy } from '../meta.ts'
import { isActivePod, isTerminatingPod } from '../pods.ts'
import type { Container, Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { TRACKING } from './ended.ts'
import { awaitingSuccessors, failsPerIndex, failureCounts, indexPatienceMs } from './index-failures.ts'
import { COMPLETION_INDEX, indexOf, parseIndexes } from './indexes.ts'
import type { Job, JobStatus } from './shapes.ts'

/** Creations of pods, or how long to wait before the next. */
type Creations = { readonly writes: Write[]; readonly waitMs: number }

/**
 * Creations of as many pods as are missing; of an indexed Job the lowest indexes that neither run nor are done.
 *
 * @param waitMs how long the Job waits after failures; where each index fails on its own, each waits for itself
 */
export function missingPods(
  job: Job,
  mine: readonly Pod[],
  status: JobStatus,
  { count, waitMs, nowMs }: { readonly count: number; readonly waitMs: number; readonly nowMs: number },
): Creations {
  if (!failsPerIndex(job)) {
    if (waitMs > 0) return { writes: [], waitMs }
    const indexes = job.spec.completionMode === 'Indexed' ? pendingIndexes(job, mine, status, count) : undefined
    if (indexes !== undefined) return { writes: indexes.map((index) => creation(job, index)), waitMs }
    return { writes: Array.from({ length: count }, () => creation(job, undefined)), waitMs }
  }
  const before = awaitingSuccessors(job, status, mine)
  const waits = pendingIndexes(job, mine, status, count).map(
    (index) => [index, indexPatienceMs(before.get(index), nowMs)] as const,
  )
  const ready = waits.filter(([, indexMs]) => indexMs === 0)
  return {
    writes: ready.map(([index]) => creation(job, index, failureCounts(job, before.get(index)))),
    waitMs: ready.length > 0 || waits.length === 0 ? 0 : Math.min(...waits.map(([, indexMs]) => indexMs)),
  }
}

function pendingIndexes(job: Job, mine: readonly Pod[], status: JobStatus, count: number): number[] {
  const taken = parseIndexes(status.completedIndexes)
  for (const index of parseIndexes(status.failedIndexes)) taken.add(index)
  const isWaitedFor = (pod: Pod): boolean => job.spec.podReplacementPolicy === 'Failed' && isTerminatingPod(pod)
  for (const pod of mine.filter((each) => isActivePod(each) || isWaitedFor(each))) taken.add(indexOf(pod) ?? -1)
  const indexes: number[] = []
  for (let index = 0; index < (job.spec.completions ?? 1) && indexes.length < count; index++)
    if (!taken.has(index)) indexes.push(index)
  return indexes
}

function creation(job: Job, index: number | undefined, marks: Readonly<Record<string, string>> = {}): Write {
  return {
    do: 'create',
    object: podOf(job, index, marks),
    tell: { about: job, type: 'Normal', reason: 'SuccessfulCreate', message: 'Created pod: {name}' },
    tellFailure: { about: job, type: 'Warning', reason: 'FailedCreate', message: 'Error creating: {error}' },
  }
}

function podOf(job: Job, index: number | undefined, marks: Readonly<Record<string, string>>): Pod {
  const { metadata = {}, spec } = job.spec.template
  const { name, namespace = '' } = job.metadata
  const mark = index === undefined ? undefined : { [COMPLETION_INDEX]: String(index) }
  const annotations = { ...metadata.annotations, ...mark, ...marks }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: '',
      generateName: index === undefined ? `${name}-` : `${name}-${index}-`,
      namespace,
      labels: { ...metadata.labels, ...mark },
      ...(Object.keys(annotations).length > 0 && { annotations }),
      finalizers: [...(metadata.finalizers ?? []), TRACKING],
      ownerReferences: [controlledBy(job)],
    },
    spec:
      index === undefined
        ? spec
        : {
            ...spec,
            hostname: `${name}-${index}`,
            containers: spec.containers.map(withIndex),
            ...(spec.initContainers && { initContainers: spec.initContainers.map(withIndex) }),
          },
  }
}

function withIndex(container: Container): Container {
  const name = 'JOB_COMPLETION_INDEX'
  if (container.env?.some((variable) => variable.name === name)) return container
  const fieldPath = `metadata.labels['${COMPLETION_INDEX}']`
  const variable = { name, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } }
  return { ...container, env: [...(container.env ?? []), variable] }
}
