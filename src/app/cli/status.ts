import { parseArgs } from 'node:util'
import type { DeliveryView, PageView } from '../dashboard/view.ts'
import { renderTable } from '../terminal/table.ts'
import { outputOption, STATE_OPTION } from './cluster.ts'
import type { Command, ExitCode } from './command.ts'
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
  usage: 'sluice status [--state DIR] [-o table|json]      exit code 1 when something stopped',
  async run(argv, io): Promise<ExitCode> {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        ...STATE_OPTION,
        ...outputOption('table'),
        json: { type: 'boolean' },
      },
    })
    const view = await fetchRecord<PageView>('api/v1/status', values, io)
    if (view.notice !== undefined) io.err(`! ${view.notice}`)
    io.out(values.json || values.output === 'json' ? JSON.stringify(view, undefined, 2) : renderStatus(view))
    return view.services.some((service) => service.cells.some((cell) => cell.state === 'failed')) ? 1 : 0
  },
}

/** The table service x environment, then the causes of what stopped, each once with the services that it stopped. */
export function renderStatus(view: PageView): string {
  const cells = view.services.flatMap((service) => service.cells.map((cell) => ({ service: service.name, ...cell })))
  if (cells.length === 0) return 'no service yet'
  const rows = cells.map((cell) => [
    cell.service,
    cell.environment,
    cell.version || '-',
    cell.commit.slice(0, 7) || '-',
    HEALTH[cell.state],
    cell.url ?? '-',
  ])
  const table = renderTable(['SERVICE', 'ENVIRONMENT', 'VERSION', 'COMMIT', 'HEALTH', 'URL'], rows)
  const stopped = new Map<string, string[]>()
  for (const { service, environment, cause } of cells) {
    if (cause === undefined || cause === '') continue
    const text = `in ${environment}: ${cause}`
    stopped.set(text, [...(stopped.get(text) ?? []), service])
  }
  return [table, ...[...stopped].map(([text, services]) => `\n${services.join(', ')} ${text}`)].join('\n')
}
