import type { BorderRecord, Delivery, Passage } from '../../pipeline/record/delivery.ts'
import { type Helpers, type Wait, waitOfPassage } from '../../pipeline/record/wait.ts'
import { type FactOf, type Ledger, pushBorder } from '../../pipeline/record/ledger.ts'
import { stopOf } from '../../pipeline/record/passage.ts'
import {
  commitTraceOf,
  environmentName,
  type HistoryQuery,
  historyOf,
  lastOf,
  newestFirst,
  type PolicyStop,
  policyStopsOf,
  refusedOf,
  traceOf,
} from '../../pipeline/record/query.ts'
import type { BorderState, DeliveryView } from '../page-view.ts'
import { bordersOf, deliveryView } from './record-view.ts'

/** What `trace` shows: the deliveries, then what is known of the commit besides. Pure. */
export function traceViews(ledger: Ledger, what: string, helpers: Helpers): readonly DeliveryView[] {
  const { passages, pushes } = commitTraceOf(ledger, what)
  const deliveries = traceOf(ledger, what)
  const ofPushes = pushes.map(({ push, runs }) => pushView(push, runs))
  const stopped = policyStopsOf(ledger, what).map((stop) => policyView(ledger, stop))
  const viewOf = (delivery: Delivery): DeliveryView => deliveryView(delivery, helpers)
  const ofPassages = passages.map((passage) => passageView(passage, waitOfPassage(passage, ledger, helpers)))
  const found = [...stopped, ...deliveries.map(viewOf), ...ofPassages, ...ofPushes]
  // what was overtaken explains nothing any more
  const ordered = [...found.filter(isCurrent), ...found.filter((one) => !isCurrent(one))]
  return ordered.length > 0 ? ordered : lastOf(ledger, what).map(viewOf)
}

function isCurrent({ state }: DeliveryView): boolean {
  return state !== 'superseded'
}

/** A commit that left a policy without any tag that it takes. */
function policyView(ledger: Ledger, { key, cause, stop }: PolicyStop): DeliveryView {
  const [environment = '', service = ''] = key.split('/')
  const kustomization = ledger.workloads.get(key)?.kustomization
  const { at = '' } = stop.borders.push ?? stop.borders.policy ?? {}
  return {
    ...{ service, environment: environmentName({ environment, kustomization }), version: '' },
    ...{ commit: stop.commit ?? '', state: 'failed', startedAt: at, endedAt: undefined, cause },
    borders: bordersOf(stop),
  }
}

/** What `history` shows, the newest first: the deliveries, and the commits that were refused before they were one. Pure. */
export function historyViews(ledger: Ledger, query: HistoryQuery, helpers: Helpers): readonly DeliveryView[] {
  const isWanted = ({ environment }: DeliveryView): boolean =>
    query.service === undefined && (query.environment === undefined || query.environment === environment)
  const refused = refusedOf(ledger)
    .map((passage) => passageView(passage))
    .filter(isWanted)
  const deliveries = historyOf(ledger, query).map((delivery) => deliveryView(delivery, helpers))
  return [...deliveries, ...refused].sort(newestFirst).slice(0, query.limit)
}

function passageView(passage: Passage, wait?: Wait): DeliveryView {
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
    borders: bordersOf({ borders }, wait),
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
