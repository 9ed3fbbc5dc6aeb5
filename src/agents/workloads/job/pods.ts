import { controlledBy } from '../meta.ts'
import { isActivePod } from '../pods.ts'
import type { Container, Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { TRACKING } from './count.ts'
import { failsPerIndex, FAILURE_COUNT, failureCountFor } from './index-failures.ts'
import { COMPLETION_INDEX, indexOf, parseIndexes } from './indexes.ts'
import type { Job, JobStatus } from './shapes.ts'

/** Creations of as many pods as are missing; of an indexed Job the lowest indexes that neither run nor are done. */
export function missingPods(job: Job, mine: readonly Pod[], status: JobStatus, count: number): Write[] {
  if (job.spec.completionMode !== 'Indexed') return Array.from({ length: count }, () => creation(job, undefined, mine))
  const taken = parseIndexes(status.completedIndexes)
  for (const index of parseIndexes(status.failedIndexes)) taken.add(index)
  for (const pod of mine.filter(isActivePod)) taken.add(indexOf(pod) ?? -1)
  const writes: Write[] = []
  for (let index = 0; index < (job.spec.completions ?? 1) && writes.length < count; index++)
    if (!taken.has(index)) writes.push(creation(job, index, mine))
  return writes
}

function creation(job: Job, index: number | undefined, mine: readonly Pod[]): Write {
  return {
    do: 'create',
    object: podOf(job, index, mine),
    tell: { about: job, type: 'Normal', reason: 'SuccessfulCreate', message: 'Created pod: {name}' },
    tellFailure: { about: job, type: 'Warning', reason: 'FailedCreate', message: 'Error creating: {error}' },
  }
}

function podOf(job: Job, index: number | undefined, mine: readonly Pod[]): Pod {
  const { metadata = {}, spec } = job.spec.template
  const { name, namespace = '' } = job.metadata
  const mark = index === undefined ? undefined : { [COMPLETION_INDEX]: String(index) }
  const failures =
    index === undefined || !failsPerIndex(job)
      ? undefined
      : { [FAILURE_COUNT]: String(failureCountFor(job, index, mine)) }
  const annotations = { ...metadata.annotations, ...mark, ...failures }
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
