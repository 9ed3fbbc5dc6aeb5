import { ApiError } from '../../../adapters/kube/api-error.ts'
import type { Controller } from '../../../engine/controller.ts'
import type { Bench } from '../bench.ts'
import { lookUp } from '../by-key.ts'
import { keyOf } from '../meta.ts'
import { afterFailedRescale, decideAutoscaler, isSameStatus, type AutoscalerPlan } from './decide.ts'
import { observeAutoscaler, type Selectors, type Target } from './observe.ts'
import { resize } from './resize.ts'
import type { Autoscaler, AutoscalerSeen } from './shapes.ts'

type Seen = { readonly input: AutoscalerSeen; readonly target: Target | undefined }
type History = {
  recommended: { atMs: number; replicas: number }[]
  scaled: { atMs: number; change: number }[]
  deafUntilMs: number
}

const PERIOD_MS = 15_000
const REMEMBERED_MS = 3_600_000
const COMPONENT = 'horizontal-pod-autoscaler'

/** The HorizontalPodAutoscaler controller: looks at every autoscaler each 15 seconds, as metrics are only numbers to be asked for, and when it changes. */
export function autoscalerController(bench: Bench): Controller<Seen, never, AutoscalerPlan> {
  const autoscalers = bench.cache('autoscaling/v2', 'HorizontalPodAutoscaler')
  const histories = new Map<string, History>()
  const selectors: Selectors = new Map()

  const forget = (key: string): void => {
    histories.delete(key)
    selectors.delete(key)
  }

  return {
    kind: 'HorizontalPodAutoscaler',
    concurrency: 2,
    async watch(wake) {
      await Promise.all([autoscalers.ready, bench.cache('v1', 'Pod').ready])
      autoscalers.onChange((autoscaler, type) => {
        if (type === 'DELETED') forget(keyOf(autoscaler))
        const deafUntilMs = type === 'MODIFIED' ? (histories.get(keyOf(autoscaler))?.deafUntilMs ?? 0) : 0
        if (bench.clock.monotonicMs() >= deafUntilMs) wake.now(keyOf(autoscaler))
      })
      for (const autoscaler of autoscalers.list()) wake.now(keyOf(autoscaler))
    },
    async observe(key) {
      const autoscaler = lookUp<Autoscaler>(autoscalers, key)
      if (!autoscaler) return undefined
      const [nowMs, monotonicMs] = [bench.clock.nowMs(), bench.clock.monotonicMs()]
      const { recommended, scaled } = historyOf(histories, key, monotonicMs)
      const { target, seen } = await observeAutoscaler(bench, autoscaler, selectors)
      // Who has just started remembers nothing: the size as it is counts as asked for, so that nothing shrinks at once.
      if (recommended.length === 0 && target) recommended.push({ atMs: monotonicMs, replicas: target.replicas })
      const told = <One extends { readonly atMs: number }>(one: One): One => ({
        ...one,
        atMs: nowMs - (monotonicMs - one.atMs),
      })
      const history = { recommended: recommended.map(told), scaled: scaled.map(told) }
      return { target, input: { autoscaler, ...history, nowMs, ...seen } }
    },
    decide: ({ input }) => ({ kind: 'done', status: decideAutoscaler(input), againAfterMs: PERIOD_MS }),
    act: () => Promise.resolve(),
    async settle(decided, { input, target }, key) {
      const atMs = bench.clock.monotonicMs()
      const history = historyOf(histories, key, atMs)
      const plan = await carryOut(bench, decided, input, target)
      if (plan.recommendation !== undefined) history.recommended.push({ atMs, replicas: plan.recommendation })
      if (plan.resizeTo !== undefined && target) history.scaled.push({ atMs, change: plan.resizeTo - target.replicas })
      for (const telling of plan.tell) bench.tell(COMPONENT, { about: input.autoscaler, ...telling })
      if (isSameStatus(input.autoscaler, plan.status)) return
      history.deafUntilMs = bench.clock.monotonicMs() + 1000
      const object = { ...input.autoscaler, status: plan.status }
      await bench.carryOut(COMPONENT, [{ do: 'replace', object, subresource: 'status' }]).catch(ignoreStale)
    },
    close: () => {
      histories.clear()
      selectors.clear()
    },
  }
}

async function carryOut(
  { client }: Bench,
  plan: AutoscalerPlan,
  seen: AutoscalerSeen,
  target: Target | undefined,
): Promise<AutoscalerPlan> {
  if (plan.resizeTo === undefined || target === undefined) return plan
  const error = await resize(client, target, plan.resizeTo)
  return error === undefined ? plan : afterFailedRescale(seen, plan, error)
}

function ignoreStale(error: unknown): void {
  if (!(error instanceof ApiError && (error.status === 409 || error.status === 404))) throw error
}

/** Its times are those that nobody sets. */
function historyOf(histories: Map<string, History>, key: string, monotonicMs: number): History {
  const known = histories.get(key) ?? { recommended: [], scaled: [], deafUntilMs: 0 }
  known.recommended = known.recommended.filter(({ atMs }) => atMs >= monotonicMs - REMEMBERED_MS)
  known.scaled = known.scaled.filter(({ atMs }) => atMs >= monotonicMs - REMEMBERED_MS)
  histories.set(key, known)
  return known
}
