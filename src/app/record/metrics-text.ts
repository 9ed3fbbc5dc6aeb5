import type { KubeObject } from '../../lib/kube/object.ts'
import { isSuspended } from '../../kinds/flux-object.ts'
import { conditionOf, readText } from '../../lib/kube/read.ts'
import { endKey } from '../../pipeline/record/archive-keys.ts'
import type { Cell } from '../../pipeline/record/delivery.ts'
import type { Ledger } from '../../pipeline/record/ledger.ts'
import { cellsOf, environmentName } from '../../pipeline/record/query.ts'
import { fluxObjectsOf, type Helpers, waitOf } from '../../pipeline/record/wait.ts'

/** What the metrics say of the process itself. */
export type ProcessFigures = {
  readonly residentBytes: number
  readonly startedAtSeconds: number
  readonly isDiskFull: boolean
}

/** The words of `sluice status`. */
const RESULTS: Readonly<Record<string, string>> = { done: 'healthy', failed: 'stopped' }

/** One value of a metric. */
export type Sample = {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
  readonly ending?: string
}

/**
 * The record, and the objects that work for it, as Prometheus reads them (text format 0.0.4). `gotk_resource_info` has the name and the
 * labels that Flux's own monitoring gives it; docs/operations.md explains the others. Grows with services and objects, not with deliveries. Pure.
 */
export function renderMetrics(ledger: Ledger, helpers: Helpers, figures: ProcessFigures): string {
  const { residentBytes, startedAtSeconds, isDiskFull } = figures
  const cells = cellsOf(ledger)
  return [
    family('sluice_service_state', 'gauge', 'The state of a service in an environment, 1.', statesOf(cells, helpers)),
    family('sluice_deliveries_total', 'counter', 'Deliveries that have ended, by how they did.', endedOf(ledger)),
    family('sluice_last_delivery_seconds', 'gauge', 'From push to healthy pods, the last time.', lastOf(cells)),
    resourceInfo(fluxObjectsOf(helpers)),
    family('sluice_disk_full', 'gauge', '1 while the disk of the state is full.', [{ value: Number(isDiskFull) }]),
    ofProcess({ residentBytes, startedAtSeconds }),
  ].join('')
}

/** What every Prometheus client says of its process. */
export function ofProcess(figures: Pick<ProcessFigures, 'residentBytes' | 'startedAtSeconds'>): string {
  const { residentBytes, startedAtSeconds } = figures
  return [
    family('process_resident_memory_bytes', 'gauge', 'Resident memory.', [{ value: residentBytes }]),
    family('process_start_time_seconds', 'gauge', 'When the process started.', [{ value: startedAtSeconds }]),
  ].join('')
}

function statesOf(cells: readonly Cell[], helpers: Helpers): readonly Sample[] {
  return cells.map((cell) => ({ labels: { ...labelsOf(cell), state: stateOf(cell, helpers) }, value: 1 }))
}

function stateOf({ cause, isDown, foreignImage, delivery }: Cell, helpers: Helpers): string {
  if (cause !== undefined) return 'stopped'
  if (delivery === undefined || foreignImage !== undefined) return 'waiting'
  if (delivery.state === 'done') return isDown ? 'down' : 'healthy'
  return waitOf(delivery, helpers) === undefined ? 'on its way' : 'waiting'
}

function endedOf(ledger: Ledger): readonly Sample[] {
  const counts = new Map(ledger.archivedEnds)
  for (const delivery of ledger.deliveries.values()) {
    if (delivery.endedAt === undefined || delivery.kind === 'drift') continue
    const key = endKey(delivery)
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return [...counts].map(([key, value]) => {
    const [environment = '', service = '', state = ''] = key.split('/')
    return { labels: { service, environment, result: RESULTS[state] ?? state }, value }
  })
}

function lastOf(cells: readonly Cell[]): readonly Sample[] {
  return cells.flatMap(({ running, ...cell }) => {
    if (running?.endedAt === undefined) return []
    const tookMs = Date.parse(running.endedAt) - Date.parse(running.startedAt)
    return [{ labels: labelsOf(cell), value: tookMs / 1000 }]
  })
}

/** Objects of Flux's kinds, as kube-state-metrics tells of them in Flux's own monitoring. */
export function resourceInfo(objects: readonly KubeObject[]): string {
  return family(
    'gotk_resource_info',
    'gauge',
    "The objects of Flux's kinds, 1.",
    objects.map((object) => ({
      labels: {
        customresource_kind: object.kind,
        exported_namespace: object.metadata.namespace ?? '',
        name: object.metadata.name,
        ready: conditionOf(object, 'Ready')?.status ?? 'Unknown',
        suspended: String(isSuspended(object)),
        revision: revisionOf(object),
      },
      value: 1,
    })),
  )
}

function revisionOf(object: KubeObject): string {
  return readText(object, 'status', 'lastAppliedRevision') || readText(object, 'status', 'artifact', 'revision')
}

type Placed = {
  readonly service: string
  readonly environment: string
  readonly kustomization: string | undefined
}

function labelsOf(of: Placed): { readonly service: string; readonly environment: string } {
  return { service: of.service, environment: environmentName(of) }
}

/** A metric with its values, in the text format. A histogram says the endings of its names itself. */
export function family(
  name: string,
  type: 'gauge' | 'counter' | 'histogram',
  help: string,
  samples: readonly Sample[],
): string {
  const lines = samples.map(({ labels = {}, value, ending = '' }) => {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`)
    return `${name}${ending}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`
  })
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
