import type { Container, Pod, Probe } from '../shapes.ts'

/** The three probes of a container. */
export type ProbeKind = 'startup' | 'readiness' | 'liveness'

/** What a probe or hook answered; an odd answer is well, and told. What could not even be asked counts as nothing, and is told. */
export type ActionResult = {
  readonly ok: boolean
  readonly message: string
  readonly isOdd?: boolean
  readonly isUnknown?: boolean
}

/** What the probes of one run of a container have found so far. */
export type Health = {
  readonly isStarted: boolean
  readonly isReady: boolean
  /** The probe for which the container must be ended. */
  readonly failed: ProbeKind | undefined
  /** Results in a row, by probe: positive successes, negative failures. */
  readonly row: Readonly<Partial<Record<ProbeKind, number>>>
}

/** A container that has just started: without a probe it counts as started and ready at once. */
export function freshHealth(container: Container): Health {
  const isStarted = container.startupProbe === undefined
  return { isStarted, isReady: isStarted && container.readinessProbe === undefined, failed: undefined, row: {} }
}

/** What is known of a run before its first probe: of one that an earlier node started what its status says, sidecars included. */
export function healthOf({ status }: Pod, container: Container, attempt: number): Health {
  const fresh = freshHealth(container)
  const statuses = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])]
  const known = statuses.find(({ name }) => name === container.name)
  if (known?.state.running === undefined || known.restartCount !== attempt || !known.started) return fresh
  return { ...fresh, isStarted: true, isReady: known.ready || fresh.isReady }
}

/**
 * Takes in one result of a probe.
 *
 * @see https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
 */
export function afterProbe(health: Health, container: Container, kind: ProbeKind, ok: boolean): Health {
  const probe = probeOf(container, kind)
  const before = health.row[kind] ?? 0
  const count = ok ? Math.max(before, 0) + 1 : Math.min(before, 0) - 1
  const next: Health = { ...health, row: { ...health.row, [kind]: count } }
  const hasPassed = count >= (probe?.successThreshold ?? 1)
  const hasFailed = -count >= (probe?.failureThreshold ?? 3)
  if (kind === 'readiness') return hasPassed || hasFailed ? { ...next, isReady: hasPassed } : next
  if (hasFailed) return { ...next, failed: kind }
  if (kind === 'liveness' || !hasPassed) return next
  return { ...next, isStarted: true, isReady: container.readinessProbe === undefined }
}

/** The probe of a kind. */
export function probeOf(container: Container, kind: ProbeKind): Probe | undefined {
  switch (kind) {
    case 'startup':
      return container.startupProbe
    case 'readiness':
      return container.readinessProbe
    case 'liveness':
      return container.livenessProbe
  }
}

/**
 * The probes that run now: until a container has started, only the startup probe; of a pod that leaves, only the readiness probe; none for which the
 * container is ended already.
 */
export function dueProbes(container: Container, health: Health, isLeaving = false): readonly ProbeKind[] {
  const kinds: readonly ProbeKind[] = health.isStarted ? ['readiness', 'liveness'] : ['startup']
  return kinds.filter(
    (kind) => probeOf(container, kind) !== undefined && (!isLeaving || kind === 'readiness') && health.failed !== kind,
  )
}
