import type { BorderRecord, Passage } from '../pipeline/record/delivery.ts'
import type { FactOf, Ledger } from '../pipeline/record/ledger.ts'
import { pushBorder } from '../pipeline/record/ledger.ts'
import { stopOf } from '../pipeline/record/passage.ts'
import type { HistoryQuery } from '../pipeline/record/query.ts'
import { commitTraceOf, environmentName, historyOf, refusedOf, traceOf } from '../pipeline/record/query.ts'
import type { BorderState, DeliveryView } from './dashboard/view.ts'
import { bordersOf, deliveryView } from './record-view.ts'

/** What `trace` shows: the deliveries, then what is known of the commit besides. Pure. */
export function traceViews(ledger: Ledger, what: string): readonly DeliveryView[] {
  const { passages, pushes } = commitTraceOf(ledger, what)
  const ofPushes = pushes.map(({ push, runs }) => pushView(push, runs))
  return [...traceOf(ledger, what).map(deliveryView), ...passages.map(passageView), ...ofPushes]
}

/** What `history` shows, the newest first: the deliveries, and the commits that were refused before they were one. Pure. */
export function historyViews(ledger: Ledger, query: HistoryQuery): readonly DeliveryView[] {
  const isWanted = ({ environment }: DeliveryView): boolean =>
    query.service === undefined && (query.environment === undefined || query.environment === environment)
  const refused = refusedOf(ledger).map(passageView).filter(isWanted)
  return [...historyOf(ledger, query).map(deliveryView), ...refused]
    .sort((a, b) => (a.startedAt < b.startedAt ? 1 : a.startedAt > b.startedAt ? -1 : 0))
    .slice(0, query.limit)
}

function passageView(passage: Passage): DeliveryView {
  const { kustomization, commit, startedAt, borders } = passage
  const stop = stopOf(passage)
  const isDone = borders.health?.state === 'done'
  return {
    service: '',
    environment: environmentName({ environment: '', kustomization }),
    version: '',
    commit,
    state: stop !== undefined ? 'failed' : isDone ? 'done' : 'running',
    startedAt,
    endedAt: isDone ? borders.health?.at : undefined,
    cause: stop?.cause ?? (isDone ? 'changes no service' : undefined),
    borders: bordersOf({ borders }),
  }
}

function pushView(push: FactOf<'push'>, runs: readonly FactOf<'run'>[]): DeliveryView {
  const states = runs.map(stateOf)
  const state = (['failed', 'running'] as const).find((one) => states.includes(one)) ?? 'done'
  const at =
    runs
      .map((run) => run.at)
      .sort()
      .at(-1) ?? push.at
  const detail = runs
    .map((run) => `${run.workflow} ${run.state}${run.cause === undefined ? '' : `: ${run.cause}`}`)
    .join(', ')
  const ci: BorderRecord | undefined = runs.length === 0 ? undefined : { state, at, detail }
  return {
    service: '',
    environment: '',
    version: '',
    commit: push.commit,
    state,
    startedAt: push.at,
    endedAt: undefined,
    runId: runs.length === 1 ? runs[0]?.runId : undefined,
    cause: state === 'failed' ? `ci: ${detail}` : 'pushed; it has changed no service so far',
    borders: bordersOf({ borders: { push: pushBorder(push), ...(ci && { ci }) } }).filter(
      (border) => border.state !== 'waiting',
    ),
  }
}

function stateOf({ state }: FactOf<'run'>): Exclude<BorderState, 'waiting'> {
  if (state === 'failed' || state === 'cancelled') return 'failed'
  return state === 'running' || state === 'queued' ? 'running' : 'done'
}
