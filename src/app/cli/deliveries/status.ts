import { parseArgs } from 'node:util'
import type { CellView, DeliveryView, PageView, StopView } from '../../page-view.ts'
import { renderTable } from '../../terminal/table.ts'
import { outputOption, STATE_OPTION } from '../cluster.ts'
import type { Command, ExitCode } from '../command.ts'
import { renderAnswer } from '../output.ts'
import { fetchRecord } from './page-client.ts'

export const HEALTH: Readonly<Record<DeliveryView['state'], string>> = {
  superseded: 'superseded',
  done: 'healthy',
  running: 'on its way',
  failed: 'stopped',
  waiting: 'waiting',
}

export const status: Command = {
  name: 'status',
  summary:
    'Show every service in every environment: version, commit, health, URL, and the cause where something stopped',
  usage: 'sluice status [--state DIR] [-o table|json|yaml]      exit code 1 when something stopped',
  async run(argv, io): Promise<ExitCode> {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        ...STATE_OPTION,
        ...outputOption('table'),
      },
    })
    const view = await fetchRecord<PageView>('api/v1/status', values, io)
    if (view.notice !== undefined) io.err(`! ${view.notice}`)
    io.out(renderAnswer(view, values.output, 'table', () => renderStatus(view)))
    return view.stops.length > 0 ? 1 : 0
  },
}

/** The table service x environment, then the causes of what stopped, each once with the services that it stopped. */
export function renderStatus(view: PageView): string {
  const cells = view.services.flatMap((service) => service.cells.map((cell) => ({ service: service.name, ...cell })))
  const rows = cells.map((cell) => [
    cell.service,
    cell.environment,
    cell.version || '-',
    cell.commit.slice(0, 7) || '-',
    healthOf(cell),
    cell.url ?? '-',
  ])
  const header = ['SERVICE', 'ENVIRONMENT', 'VERSION', 'COMMIT', 'HEALTH', 'URL']
  const table = cells.length === 0 ? 'no service yet' : renderTable(header, rows)
  const holds = view.holds.map(({ object, cause, next }) => `\n${object} ${cause}${nextLine(next)}`)
  const stops = view.stops.map((stop) => `\n${renderStop(stop)}`)
  return [table, ...stops, ...downOf(view), ...waitsOf(view), ...holds].join('\n')
}

function healthOf({ state, stoppedAt, waitsAt }: CellView): string {
  if (stoppedAt !== undefined) return `stopped at ${stoppedAt}`
  return waitsAt === undefined ? HEALTH[state] : `waits at ${waitsAt}`
}

/** `api, web in staging at abc1234: build: …` */
function renderStop({ services, environment, commit, cause, next }: StopView): string {
  const who = services.length === 0 ? environment : `${services.join(', ')} in ${environment}`
  return `${who}${commit === '' ? '' : `, commit ${commit}`}: ${cause}${nextLine(next)}`
}

function nextLine(next: string | undefined): string {
  return next === undefined ? '' : `\n  next: ${next}`
}

/** What is on its way and does not move, with what it waits for. */
function waitsOf({ services }: PageView): readonly string[] {
  return services.flatMap(({ name, cells }) =>
    cells.flatMap(({ environment, commit, waitsAt, borders }) => {
      const detail = borders.find((border) => border.name === waitsAt)?.detail
      return detail === undefined
        ? []
        : [`\n${name} in ${environment}, commit ${commit}, waits at ${waitsAt ?? ''}: ${detail}`]
    }),
  )
}

// What is down has not stopped on any way.
function downOf({ services }: PageView): readonly string[] {
  return services.flatMap(({ name, cells }) =>
    cells
      .filter(({ state, cause }) => state === 'waiting' && cause !== undefined)
      .map(({ environment, cause }) => `\n${name} in ${environment}: ${cause}`),
  )
}
