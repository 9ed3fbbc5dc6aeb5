import { runProbe } from './run-probe.ts'
import { type ActionResult, afterProbe, dueProbes, probeOf, type Health, type ProbeKind } from './probe-state.ts'
import type { NodeContext } from '../context.ts'
import type { ContainerId } from '../../driver.ts'
import { type Container, fieldOf, type Pod, type Probe } from '../shapes.ts'

/** What is probed. */
export type ProbeTarget = {
  readonly pod: Pod
  readonly run: ContainerId & { readonly startedAtMs: number }
  readonly container: Container
  readonly ip: string
  readonly isLeaving: () => boolean
}

/** The probes of one run of a container. */
export type Probing = { readonly attempt: number; readonly health: () => Health; readonly stop: () => void }

/**
 * Probes a container until stopped. Until a readiness or startup probe has passed once it is asked again quickly (100 ms, slowing down
 * to its period), so that a pod is Ready when it is; failures are still counted once a period.
 */
export function startProbing(context: NodeContext, target: ProbeTarget, first: Health, onChange: () => void): Probing {
  const { container } = target
  let health = first
  let isStopped = false
  const cancels = new Map<ProbeKind, () => void>()
  const take = (kind: ProbeKind, result: ActionResult): void => {
    tell(context, target, kind, result)
    if (result.isUnknown === true) return
    const before = health
    health = afterProbe(health, container, kind, result.ok)
    if (isChanged(before, health)) onChange()
    if (!before.isStarted && health.isStarted) schedule()
  }
  const due = (): readonly ProbeKind[] => dueProbes(container, health, target.isLeaving())
  const run = async (kind: ProbeKind, quickMs: number, countedAtMs: number): Promise<void> => {
    const probe = probeOf(container, kind)
    if (probe === undefined || isStopped || !due().includes(kind)) return void cancels.delete(kind)
    const periodMs = (probe.periodSeconds ?? 10) * 1000
    const result = await ask(context, target, probe)
    if (isStopped || !due().includes(kind)) return
    const nowMs = context.clock.monotonicMs()
    const isFirstPass = result.ok && (probe.successThreshold ?? 1) === 1
    const counts = isFirstPass || nowMs - countedAtMs >= periodMs
    if (counts) take(kind, result)
    const isWaiting = !result.ok && probe.exec === undefined && isAwaited(kind, health)
    const nextMs = isWaiting ? Math.min(quickMs, periodMs) : periodMs
    const counted = counts ? nowMs : countedAtMs
    cancels.set(
      kind,
      context.clock.after(nextMs, () => void run(kind, quickMs * 1.3, counted)),
    )
  }
  const schedule = (): void => {
    for (const kind of due()) {
      if (cancels.has(kind)) continue
      // counted from the start of the container, also of one that was taken over and of one that waited for its startup probe
      const { initialDelaySeconds = 0 } = probeOf(container, kind) ?? {}
      // one that started after now says that the clock was set back
      const ranMs = Math.max(0, context.clock.nowMs() - target.run.startedAtMs)
      const delayMs = context.driver().isSimulated ? 0 : Math.max(0, initialDelaySeconds * 1000 - ranMs)
      cancels.set(
        kind,
        context.clock.after(delayMs, () => void run(kind, 100, context.clock.monotonicMs())),
      )
    }
  }
  schedule()
  return {
    attempt: target.run.attempt,
    health: () => health,
    stop() {
      isStopped = true
      for (const cancel of cancels.values()) cancel()
    },
  }
}

async function ask(context: NodeContext, target: ProbeTarget, probe: Probe): Promise<ActionResult> {
  const driver = context.driver()
  if (driver.isSimulated) return { ok: true, message: '' }
  const { run, container, ip } = target
  return runProbe(driver, { id: run, container, ip }, probe, (probe.timeoutSeconds ?? 1) * 1000)
}

function isAwaited(kind: ProbeKind, health: Health): boolean {
  return kind === 'startup' || (kind === 'readiness' && !health.isReady)
}

function isChanged(before: Health, after: Health): boolean {
  return before.isReady !== after.isReady || before.isStarted !== after.isStarted || before.failed !== after.failed
}

function tell(
  context: NodeContext,
  { pod, container }: ProbeTarget,
  kind: ProbeKind,
  { ok, message, isOdd, isUnknown }: ActionResult,
): void {
  if (ok && isOdd !== true) return
  const title = `${kind[0]?.toUpperCase()}${kind.slice(1)}`
  const failed = isUnknown === true ? 'errored and resulted in unknown state' : 'failed'
  const [reason, said] = ok ? ['ProbeWarning', 'warning'] : ['Unhealthy', failed]
  context.record(pod, 'Warning', reason, `${title} probe ${said}: ${message}`, fieldOf(pod, container.name))
}
