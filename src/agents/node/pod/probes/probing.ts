import { runAction, type ActionResult } from './run-probe.ts'
import { afterProbe, dueProbes, probeOf, type Health, type ProbeKind } from './probe-state.ts'
import type { NodeContext } from '../context.ts'
import type { ContainerId } from '../../driver.ts'
import { type Container, fieldOf, type Pod, type Probe } from '../shapes.ts'

/** What is probed. */
export type ProbeTarget = {
  readonly pod: Pod
  readonly id: ContainerId
  readonly container: Container
  readonly ip: string
}

/** The probes of one run of a container. */
export type Probing = { readonly id: ContainerId; readonly health: () => Health; readonly stop: () => void }

/**
 * Probes a container until stopped. Until a readiness or startup probe has passed once it is asked again quickly (100 ms, slowing down
 * to its period), so that a pod is Ready when it is; failures are still counted once a period.
 */
export function startProbing(context: NodeContext, target: ProbeTarget, first: Health, onChange: () => void): Probing {
  const { container } = target
  let health = first
  let isStopped = false
  const cancels = new Map<ProbeKind, () => void>()
  const take = (kind: ProbeKind, { ok, message }: ActionResult): void => {
    const before = health
    health = afterProbe(health, container, kind, ok, message)
    if (!ok) tellFailure(context, target, kind, message)
    if (isChanged(before, health)) onChange()
    if (!before.isStarted && health.isStarted) schedule()
  }
  const run = async (kind: ProbeKind, quickMs: number, countedAtMs: number): Promise<void> => {
    const probe = probeOf(container, kind)
    if (probe === undefined || isStopped || !dueProbes(container, health).includes(kind))
      return void cancels.delete(kind)
    const periodMs = (probe.periodSeconds ?? 10) * 1000
    const result = await ask(context, target, probe)
    if (isStopped) return
    const nowMs = context.clock.nowMs()
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
    for (const kind of dueProbes(container, health)) {
      if (cancels.has(kind)) continue
      const delayMs = context.driver().isSimulated ? 0 : (probeOf(container, kind)?.initialDelaySeconds ?? 0) * 1000
      cancels.set(
        kind,
        context.clock.after(delayMs, () => void run(kind, 100, context.clock.nowMs())),
      )
    }
  }
  schedule()
  return {
    id: target.id,
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
  return runAction(driver, target, probe, (probe.timeoutSeconds ?? 1) * 1000)
}

function isAwaited(kind: ProbeKind, health: Health): boolean {
  return kind === 'startup' || (kind === 'readiness' && !health.isReady)
}

function isChanged(before: Health, after: Health): boolean {
  return before.isReady !== after.isReady || before.isStarted !== after.isStarted || before.failed !== after.failed
}

function tellFailure(context: NodeContext, { pod, container }: ProbeTarget, kind: ProbeKind, message: string): void {
  const title = `${kind[0]?.toUpperCase()}${kind.slice(1)}`
  context.record(pod, 'Warning', 'Unhealthy', `${title} probe failed: ${message}`, fieldOf(pod, container.name))
}
