import { parseArgs } from 'node:util'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { nearest } from '../../../lib/value/nearest.ts'
import type { DeliveryView, PageView } from '../../page-view.ts'
import { renderAge } from '../../terminal/age.ts'
import { renderTable } from '../../terminal/table.ts'
import { outputOption, STATE_OPTION } from '../cluster.ts'
import type { Command } from '../command.ts'
import { refuseMore } from '../misread.ts'
import { parseCount } from './count.ts'
import { renderAnswer } from '../output.ts'
import { fetchRecord } from './page-client.ts'
import { HEALTH } from './status.ts'

export const history: Command = {
  name: 'history',
  summary: 'Show the deliveries, the newest first',
  usage: 'sluice history [service] [--environment NAME] [--limit N] [--state DIR] [-o table|json|yaml]',
  async run(argv, io) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...STATE_OPTION,
        environment: { type: 'string' },
        limit: { type: 'string', short: 'L', default: '50' },
        ...outputOption('table'),
      },
    })
    refuseMore(positionals, 1)
    const query = new URLSearchParams({ limit: String(parseCount('--limit', values.limit)) })
    if (positionals[0] !== undefined) query.set('service', positionals[0])
    if (values.environment !== undefined) query.set('environment', values.environment)
    const deliveries = await fetchRecord<readonly DeliveryView[]>(`api/v1/history?${query}`, values, io)
    if (deliveries.length === 0)
      checkNames(await fetchRecord<PageView>('api/v1/status', values, io), positionals[0], values)
    io.out(renderAnswer(deliveries, values.output, 'table', () => renderHistory(deliveries, Date.now())))
    return 0
  },
}

/** No delivery of something that is not there is no answer. */
function checkNames(
  { services, environments }: PageView,
  service: string | undefined,
  { environment }: { readonly environment?: string | undefined },
): void {
  const names = services.map(({ name }) => name)
  if (service !== undefined) refuseUnknown('service', service, names)
  if (environment !== undefined) refuseUnknown('environment', environment, environments)
}

function refuseUnknown(what: string, word: string, known: readonly string[]): void {
  if (known.includes(word) || known.length === 0) return
  const [near] = nearest(word, known, 1)
  throw new SluiceError('OBJECT_MISSING', `no such ${what}: ${word}`, {
    hint: `${near === undefined ? '' : `did you mean ${near}? `}there are ${known.join(', ')}`,
  })
}

/** The table of deliveries, as they were given. */
export function renderHistory(deliveries: readonly DeliveryView[], nowMs: number): string {
  if (deliveries.length === 0) return 'no delivery yet'
  const header = ['AGE', 'SERVICE', 'ENVIRONMENT', 'VERSION', 'COMMIT', 'PUSHED BY', 'RESULT', 'TOOK', 'CAUSE']
  return renderTable(
    header,
    deliveries.map((delivery) => [
      renderAge(delivery.startedAt, nowMs),
      delivery.service || '-',
      delivery.environment,
      delivery.version || '-',
      delivery.commit.slice(0, 7),
      delivery.borders.find(({ name }) => name === 'push')?.by ?? '-',
      HEALTH[delivery.state],
      tookOf(delivery),
      delivery.cause?.split('\n')[0] ?? '',
    ]),
  )
}

function tookOf({ startedAt, endedAt }: DeliveryView): string {
  return endedAt === undefined ? '-' : `${((Date.parse(endedAt) - Date.parse(startedAt)) / 1000).toFixed(1)}s`
}
