import type { Cell, Stop } from '../../pipeline/record/delivery.ts'
import type { Ledger } from '../../pipeline/record/ledger.ts'
import { environmentName, type StoppedKustomization, stoppedKustomizations } from '../../pipeline/record/query.ts'
import type { StopView } from '../page-view.ts'

/**
 * Everything that does not go on, each cause once with the services that it holds up: of the services, and of Kustomizations that
 * are there and carry none. Pure.
 *
 * @param there the Kustomizations that there are, `namespace/name`
 */
export function stopViews(ledger: Ledger, cells: readonly Cell[], there: readonly string[]): readonly StopView[] {
  const ofServices = cells.flatMap(({ cause, stop, service, ...cell }) =>
    cause === undefined
      ? []
      : [{ environment: environmentName(cell), service, cause, commit: shortOf(stop?.commit), ...nextOf(stop, cell) }],
  )
  const isSaid = ({ kustomization, parts }: StoppedKustomization): boolean =>
    parts.every((part) => cells.some(({ cause, ...cell }) => cell.kustomization === kustomization && cause === part))
  const ofKustomizations = stoppedKustomizations(ledger)
    .filter((stopped) => there.includes(stopped.kustomization) && !isSaid(stopped))
    .map(({ kustomization, cause, stop }) => ({
      environment: environmentName({ environment: '', kustomization }),
      cause,
      commit: shortOf(stop?.commit),
    }))
  const stops = new Map<string, StopView>()
  for (const { service, ...stop } of [
    ...ofKustomizations.map((one) => ({ ...one, service: undefined })),
    ...ofServices,
  ]) {
    // Services that one cause stops may each have failed in a run of their own.
    const { environment, cause, commit } = stop
    const key = JSON.stringify([environment, cause, commit])
    const known = stops.get(key) ?? { ...stop, services: [] }
    const { services } = known
    stops.set(key, { ...known, services: service === undefined ? services : [...services, service] })
  }
  return [...stops.values()]
}

/** What a step said stands in the log of its run. */
function nextOf(stop: Stop | undefined, { delivery }: Pick<Cell, 'delivery'>): Pick<StopView, 'next'> {
  return stop?.border === 'ci' && delivery?.runId !== undefined ? { next: `sluice logs run/${delivery.runId}` } : {}
}

function shortOf(commit: string | undefined): string {
  return (commit ?? '').slice(0, 7)
}
