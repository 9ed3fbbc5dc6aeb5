import type { KubeObject } from '../../lib/kube/object.ts'
import { groupBy } from '../../lib/value/group-by.ts'
import type { DispatchFault } from '../../pipeline/notify/dispatch.ts'
import type { Fact } from '../../pipeline/record/fact.ts'
import { type BorderRecord, BORDERS, type Cell, type Delivery } from '../../pipeline/record/delivery.ts'
import type { Ledger } from '../../pipeline/record/ledger.ts'
import { cellsOf, environmentName } from '../../pipeline/record/query.ts'
import { type Helpers, type Wait, waitOf } from '../../pipeline/record/wait.ts'
import type { BorderState, BorderView, CellView, DeliveryView, PageView, ServiceView } from '../page-view.ts'
import { stopViews } from './stop-view.ts'
import { holdViews } from './hold-view.ts'
import { renderFact } from '../terminal/fact-line.ts'

const LINES = 200

/** What the page needs besides the record. */
export type ViewContext = {
  readonly at: string
  readonly notice: string | undefined
  readonly serviceUrl: (namespace: string, name: string) => string | undefined
  /** What works for deliveries; a Kustomization that was taken away is not among them, and what it suffered from is past. */
  readonly helpers: Helpers
  readonly dispatchFaults: readonly DispatchFault[]
  /** The oldest first. */
  readonly facts: readonly Fact[]
}

/** The page's whole view of a ledger. Pure. */
export function pageView(ledger: Ledger, context: ViewContext): PageView {
  const cells = cellsOf(ledger)
  const services = [...groupBy(cells, ({ service }) => service)]
    .map(([name, own]): ServiceView => ({ name, cells: own.map((cell) => cellView(cell, context)) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const lines = context.facts.map(renderFact).filter((line) => line !== undefined)
  return {
    at: context.at,
    notice: context.notice,
    // by the usual names that is the order in which a commit reaches them: staging, production
    environments: [...new Set(cells.map(environmentName))].sort().reverse(),
    services,
    stops: stopViews(ledger, cells, context.helpers.kustomizations.map(keyOf)),
    holds: holdViews(ledger, context.helpers, context.dispatchFaults),
    lines: lines.slice(-LINES).reverse(),
  }
}

/** A delivery as the page, `history` and `trace` show it. */
export function deliveryView(delivery: Delivery, helpers: Helpers): DeliveryView {
  const wait = waitOf(delivery, helpers)
  return {
    service: delivery.service,
    environment: environmentName(delivery),
    version: delivery.version,
    commit: delivery.commit,
    state: delivery.state,
    startedAt: delivery.startedAt,
    endedAt: delivery.endedAt,
    cause: delivery.cause ?? (delivery.state === 'superseded' ? 'a newer one took its place' : describeWait(wait)),
    runId: delivery.runId,
    borders: bordersOf(delivery, wait),
  }
}

function describeWait(wait: Wait | undefined): string | undefined {
  return wait && `waits at ${wait.border}: ${wait.cause}`
}

function cellView(cell: Cell, { serviceUrl, helpers }: ViewContext): CellView {
  const { delivery, running, stop } = cell
  const shown = delivery ?? running
  // what has stopped on its way into the cluster leaves there what runs
  const hasStopped = stop !== undefined || delivery?.state === 'failed'
  const isOutside = hasStopped && delivery?.borders.apply?.state !== 'done'
  const there = isOutside ? (running ?? shown) : shown
  const way = stop ?? shown
  const wait = stop === undefined && delivery !== undefined ? waitOf(delivery, helpers) : undefined
  return {
    environment: environmentName(cell),
    version: there?.version ?? '',
    commit: (there?.commit ?? '').slice(0, 7),
    state: cellState(cell),
    cause: cell.cause ?? whyNotAsDelivered(cell),
    stoppedAt: stop?.border,
    waitsAt: wait?.border,
    url: serviceUrl(cell.environment, cell.service),
    borders: way === undefined ? [] : bordersOf(way, wait),
  }
}

function cellState(cell: Cell): BorderState {
  if (cell.cause !== undefined) return 'failed'
  return cell.delivery === undefined || whyNotAsDelivered(cell) !== undefined ? 'waiting' : stateOf(cell.delivery)
}

/** Why what was delivered is not what runs; `undefined` when it is, or is on its way. */
function whyNotAsDelivered({ delivery, isDown, foreignImage }: Cell): string | undefined {
  if (isDown && delivery?.state === 'done') return 'no pod of it is ready'
  if (foreignImage === undefined) return undefined
  return `its pods run ${foreignImage}, which was not delivered but set by hand; the next reconcile sets it back to Git`
}

function stateOf({ state }: Delivery): BorderState {
  return state === 'superseded' ? 'waiting' : state
}

/**
 * Borders in their order, for people. What a delivery did not pass (a change of manifests has no image) is left out once a later
 * border is known. The one that it waits at says why.
 */
export function bordersOf({ borders }: Pick<Delivery, 'borders'>, wait?: Wait): readonly BorderView[] {
  const known = BORDERS.map((name) => ({ name, record: borders[name] }))
  const last = known.findLastIndex(({ record }) => record !== undefined)
  return known
    .filter(({ record }, index) => record !== undefined || index > last)
    .map(({ name, record }) => borderView(name, record))
    .map((view) => (view.name === wait?.border ? { ...view, detail: wait.cause } : view))
}

function borderView(name: string, record: BorderRecord | undefined): BorderView {
  if (record === undefined) return { name, state: 'waiting', detail: '' }
  return { name, ...record }
}

/** `namespace/name`. */
function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}
