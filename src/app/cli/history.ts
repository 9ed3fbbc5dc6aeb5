import { parseArgs } from 'node:util'
import type { DeliveryView } from '../dashboard/view.ts'
import { renderAge } from '../terminal/age.ts'
import { renderTable } from '../terminal/table.ts'
import { outputOption, STATE_OPTION } from './cluster.ts'
import type { Command } from './command.ts'
import { fetchRecord } from './page-client.ts'
import { HEALTH } from './status.ts'

export const history: Command = {
  name: 'history',
  summary: 'Show the deliveries, the newest first',
  usage: 'sluice history [service] [--environment NAME] [--limit N] [--state DIR] [-o table|json]',
  async run(argv, io) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...STATE_OPTION,
        environment: { type: 'string' },
        limit: { type: 'string', default: '50' },
        ...outputOption('table'),
      },
    })
    const query = new URLSearchParams({ limit: values.limit })
    if (positionals[0] !== undefined) query.set('service', positionals[0])
    if (values.environment !== undefined) query.set('environment', values.environment)
    const deliveries = await fetchRecord<readonly DeliveryView[]>(`api/v1/history?${query}`, values, io)
    io.out(values.output === 'json' ? JSON.stringify(deliveries, undefined, 2) : renderHistory(deliveries, Date.now()))
    return 0
  },
}

function renderHistory(deliveries: readonly DeliveryView[], nowMs: number): string {
  if (deliveries.length === 0) return 'no delivery yet'
  const header = ['AGE', 'SERVICE', 'ENVIRONMENT', 'VERSION', 'COMMIT', 'RESULT', 'TOOK', 'CAUSE']
  return renderTable(
    header,
    deliveries.map((delivery) => [
      renderAge(delivery.startedAt, nowMs),
      delivery.service || '-',
      delivery.environment,
      delivery.version || '-',
      delivery.commit.slice(0, 7),
      HEALTH[delivery.state],
      tookOf(delivery),
      delivery.cause?.split('\n')[0] ?? '',
    ]),
  )
}

function tookOf({ startedAt, endedAt }: DeliveryView): string {
  return endedAt === undefined ? '-' : `${((Date.parse(endedAt) - Date.parse(startedAt)) / 1000).toFixed(1)}s`
}
