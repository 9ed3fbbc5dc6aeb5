import { parseArgs } from 'node:util'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { renderAge } from '../../terminal/age.ts'
import { renderTable } from '../../terminal/table.ts'
import { read } from '../../../lib/kube/read.ts'
import { renderAnswer } from '../output.ts'
import { LIST_OPTIONS, LIST_USAGE, outputOption, WATCH_OPTION, withCluster } from '../cluster.ts'
import { type Command, usageError } from '../command.ts'

const HEADER = ['LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE']

export const events: Command = {
  name: 'events',
  summary: 'Show the events of objects, the oldest first',
  usage: `sluice events [--for KIND/NAME] [-w] [-o table|json|yaml] ${LIST_USAGE}`,
  async run(argv, io) {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        ...{ ...LIST_OPTIONS, ...WATCH_OPTION, ...outputOption('table') },
        for: { type: 'string' },
      },
    })
    if (values.for !== undefined && !/^[^/]+\/[^/]+$/.test(values.for))
      return usageError(io, events, `--for takes KIND/NAME, as in Deployment/web, not "${values.for}"`)
    return withCluster(values, io, async (client) => {
      const namespace = values['all-namespaces'] ? undefined : (values.namespace ?? 'flux-system')
      const selection = { apiVersion: 'v1', kind: 'Event', ...(namespace === undefined ? {} : { namespace }) }
      const { items, resourceVersion } = await client.list(selection)
      const wanted = items
        .filter((event) => isFor(event, values.for))
        .sort((a, b) => lastSeen(a).localeCompare(lastSeen(b)))
      const header = namespace === undefined ? ['NAMESPACE', ...HEADER] : HEADER
      const rows = wanted.map((event) => row(event, Date.now(), namespace === undefined))
      const list = { apiVersion: 'v1', kind: 'List', items: wanted }
      const text = renderAnswer(list, values.output, 'table', () => renderTable(header, rows))
      if (wanted.length === 0 && values.output === 'table')
        io.err(`No events found${namespace === undefined ? '' : ` in ${namespace} namespace`}.`)
      else io.out(text)
      if (!values.watch) return 0
      await client.watch(
        selection,
        resourceVersion,
        ({ type, object }) => {
          if ((type === 'ADDED' || type === 'MODIFIED') && isFor(object, values.for))
            io.out(row(object, Date.now(), namespace === undefined).join('   '))
        },
        io.signal,
      )
      return 0
    })
  },
}

function isFor(event: KubeObject, wanted: string | undefined): boolean {
  if (wanted === undefined) return true
  return objectOf(event).toLowerCase() === wanted.toLowerCase()
}

function objectOf(event: KubeObject): string {
  return `${String(read(event, 'involvedObject', 'kind') ?? '')}/${String(read(event, 'involvedObject', 'name') ?? '')}`
}

function lastSeen(event: KubeObject): string {
  return String(read(event, 'lastTimestamp') ?? read(event, 'eventTime') ?? event.metadata.creationTimestamp ?? '')
}

function row(event: KubeObject, nowMs: number, isOfAll: boolean): string[] {
  const message = String(read(event, 'message') ?? '')
    .trim()
    .replaceAll('\n', ' · ')
  return [
    ...(isOfAll ? [event.metadata.namespace ?? ''] : []),
    renderAge(lastSeen(event), nowMs),
    String(read(event, 'type') ?? ''),
    String(read(event, 'reason') ?? ''),
    objectOf(event),
    message,
  ]
}
