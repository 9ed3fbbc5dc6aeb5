import { timeMs } from '../meta.ts'
import type { Pod } from '../shapes.ts'
import { endedMs, isFailed, isHeld } from './ended.ts'
import { patienceMs } from './patience.ts'
import type { Remembered } from './remembered.ts'
import type { FailureRule, Job, JobStatus } from './shapes.ts'

/** Why the Job has failed; `undefined` when it has not. */
export function failureOf(
  job: Job,
  pods: readonly Pod[],
  counted: JobStatus,
  nowMs: number,
): { readonly reason: string; readonly message: string } | undefined {
  const byPolicy = pods.map((pod) => policyFailure(job, pod)).find((message) => message !== undefined)
  if (byPolicy !== undefined) return { reason: 'PodFailurePolicy', message: byPolicy }
  const uncounted = counted.uncountedTerminatedPods?.failed ?? []
  const waiting = pods.filter((pod) => isHeld(pod) && isFailed(job, pod) && !uncounted.includes(pod.metadata.uid ?? ''))
  const worse = waiting.filter((pod) => actionFor(job, pod) !== 'Ignore')
  const failed = (counted.failed ?? 0) + uncounted.length + worse.length
  const isRestarting = job.spec.template.spec.restartPolicy === 'OnFailure'
  const restarts = isRestarting ? restartsOf(pods) : 0
  const limit = job.spec.backoffLimit ?? 6
  if (failed > limit || (restarts > 0 && restarts >= Math.max(limit, 1)))
    return { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' }
  const { activeDeadlineSeconds } = job.spec
  const isLate =
    activeDeadlineSeconds !== undefined &&
    counted.startTime !== undefined &&
    timeMs(counted.startTime) + activeDeadlineSeconds * 1000 <= nowMs
  return isLate ? { reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' } : undefined
}

/** How long to wait before the next pod: 10 s after the first failure in a row, doubling to 10 minutes. */
export function retryAfterMs(pods: readonly Pod[], remembered: Remembered, nowMs: number): number {
  const failures = new Map(remembered.failures)
  let { successMs } = remembered
  for (const pod of pods) {
    if (pod.status?.phase === 'Failed') failures.set(pod.metadata.uid ?? '', endedMs(pod))
    if (pod.status?.phase === 'Succeeded') successMs = Math.max(successMs, endedMs(pod))
  }
  let inARow = 0
  let lastMs = 0
  for (const atMs of failures.values()) {
    if (atMs <= successMs) continue // what failed in the second of a success failed before it
    inARow++
    lastMs = Math.max(lastMs, atMs)
  }
  return patienceMs(inARow, lastMs, nowMs)
}

/** What the podFailurePolicy says about a failed pod; `undefined` when no rule fits. */
export function actionFor(job: Job, pod: Pod): string | undefined {
  return ruleFor(job, pod)?.rule.action
}

function policyFailure(job: Job, pod: Pod): string | undefined {
  const found = ruleFor(job, pod)
  return found?.rule.action === 'FailJob' ? found.message : undefined
}

function ruleFor(job: Job, pod: Pod): { readonly rule: FailureRule; readonly message: string } | undefined {
  if (pod.status?.phase !== 'Failed') return undefined
  const name = `${pod.metadata.namespace}/${pod.metadata.name}`
  for (const [at, rule] of (job.spec.podFailurePolicy?.rules ?? []).entries()) {
    const suffix = `matching ${rule.action} rule at index ${at}`
    const exit = exitMatch(rule, pod)
    if (exit)
      return {
        rule,
        message: `Container ${exit.container} for pod ${name} failed with exit code ${exit.code} ${suffix}`,
      }
    const condition = pod.status?.conditions?.find((one) =>
      rule.onPodConditions?.some(({ type, status = 'True' }) => one.type === type && one.status === status),
    )
    if (condition) return { rule, message: `Pod ${name} has condition ${condition.type} ${suffix}` }
  }
  return undefined
}

function exitMatch({ onExitCodes: wish }: FailureRule, pod: Pod): { container: string; code: number } | undefined {
  if (!wish) return undefined
  for (const { name, state } of [
    ...(pod.status?.containerStatuses ?? []),
    ...(pod.status?.initContainerStatuses ?? []),
  ]) {
    const code = state?.terminated?.exitCode
    if (code === undefined || code === 0 || (wish.containerName !== undefined && wish.containerName !== name)) continue
    if (wish.values.includes(code) === (wish.operator === 'In')) return { container: name, code }
  }
  return undefined
}

/** How often the pods that go on have been restarted. */
function restartsOf(pods: readonly Pod[]): number {
  return pods
    .filter(({ status }) => status?.phase === 'Running' || status?.phase === 'Pending')
    .flatMap(({ status }) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])])
    .reduce((sum, { restartCount = 0 }) => sum + restartCount, 0)
}
