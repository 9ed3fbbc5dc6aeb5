import type { Clock } from '../../../adapters/clock.ts'
import type { ContainerUse, Driver, Used } from '../driver.ts'

/** What was used by one moment. */
export type Sample = {
  readonly atMs: number
  readonly machine: Used | undefined
  readonly containers: readonly ContainerUse[]
}

/** What is used, and at which rate over the last `windowMs`; without a rate where it was seen for too short a time. */
export type Rated = Used & { readonly rate: Rate | undefined }

/** Billionths of a core over the last `windowMs`. */
export type Rate = { readonly nanoCores: number; readonly windowMs: number }

/** All that a node can say of itself now. */
export type Measured = {
  readonly atMs: number
  readonly machine: Rated | undefined
  readonly containers: readonly (ContainerUse & Rated)[]
}

/** Measures a node: what the kubelet API tells of usage. */
export type Sampler = { readonly measure: () => Promise<Measured>; readonly close: () => void }

/** As often as metrics-server looks. */
const EVERY_MS = 15_000
/** A shorter span tells more of one moment than of the load, and scales what has only just started; metrics-server takes none, either. */
const SHORTEST_MS = 10_000
/** Who asks more often is told the same. */
const FRESH_MS = 1_000

/** Looks at what runs every 15 s, so that who asks is told of the last seconds, not of the time since somebody asked before. */
export function startSampler(driver: () => Driver | undefined, clock: Clock): Sampler {
  let kept: readonly Sample[] = []
  let latest: Promise<Sample> | undefined
  let latestAtMs = -Infinity
  let isClosed = false
  let cancel: () => void = () => undefined
  const look = async (): Promise<Sample> => {
    const { machine, containers } = (await driver()?.usage()) ?? { machine: undefined, containers: [] }
    return { atMs: clock.nowMs(), machine, containers }
  }
  const sample = (): Promise<Sample> => {
    if (latest !== undefined && clock.monotonicMs() - latestAtMs < FRESH_MS) return latest
    latestAtMs = clock.monotonicMs()
    latest = look()
    latest.catch(() => (latest = undefined))
    return latest
  }
  const keep = async (): Promise<void> => {
    const taken = await sample().catch(() => undefined)
    if (taken !== undefined) kept = [taken, ...kept].slice(0, 2)
    if (!isClosed) cancel = clock.after(EVERY_MS, () => void keep())
  }
  void keep()
  return {
    measure: async () => measureSince(await sample(), kept),
    close() {
      isClosed = true
      cancel()
    },
  }
}

/** Rates against the newest of `earlier` that is long enough ago; what was not there yet is measured since its start. */
export function measureSince(now: Sample, earlier: readonly Sample[]): Measured {
  const base = earlier.find(({ atMs }) => now.atMs - atMs >= SHORTEST_MS)
  const before = new Map(base?.containers.map((each) => [keyOf(each), each]))
  return {
    atMs: now.atMs,
    machine: now.machine && {
      ...now.machine,
      rate: base?.machine && rateOf(now.machine, base.machine, now.atMs - base.atMs),
    },
    containers: now.containers.map((each) => {
      const had = before.get(keyOf(each))
      const rate =
        had === undefined || base === undefined
          ? rateOf(each, NOTHING, now.atMs - each.startedAtMs)
          : rateOf(each, had, now.atMs - base.atMs)
      return { ...each, rate }
    }),
  }
}

const NOTHING: Used = { cpuNanos: 0, memoryBytes: 0 }

const keyOf = ({ uid, container, attempt }: ContainerUse): string => `${uid}/${container}/${attempt}`

/** A child that ended unseen takes its time with it: nothing is used backwards. */
function rateOf(now: Used, before: Used, windowMs: number): Rate | undefined {
  if (windowMs < SHORTEST_MS) return undefined
  return { nanoCores: Math.max(0, Math.round(((now.cpuNanos - before.cpuNanos) * 1000) / windowMs)), windowMs }
}
