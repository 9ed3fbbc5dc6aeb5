import { parseArgs } from 'node:util'
import type { BorderState, BorderView, DeliveryView } from '../../page-view.ts'
import { outputOption, STATE_OPTION } from '../cluster.ts'
import { type Command, usageError } from '../command.ts'
import { refuseMore } from '../misread.ts'
import { renderAnswer } from '../output.ts'
import { fetchRecord } from './page-client.ts'
import { HEALTH } from './status.ts'

const MOST_CHANGES = 4
const MARKS: Readonly<Record<BorderState, string>> = { done: '✔', running: '◎', failed: '✗', waiting: '·' }

export const trace: Command = {
  name: 'trace',
  summary: 'Show the way of one commit, image (digest or name:tag) or pod, or the last of a service, border by border',
  usage: `sluice trace <commit | image | pod | service> [--state DIR] [-o text|json|yaml]      exit code 1 when nothing is known of it
       sluice trace <kind> <name> | <kind>/<name> | --kind KIND [--api-version V] <name> [-n NAMESPACE] [--kubeconfig FILE]      whose an object is, as flux trace says`,
  async run(argv, io) {
    if (isOfObject(argv)) return (await import('../objects/trace-object.ts')).traceObject(argv, io, this)
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...STATE_OPTION, ...outputOption('text') },
    })
    refuseMore(positionals, 1)
    const what = positionals[0]
    if (what === undefined) return usageError(io, trace, 'which commit, image, pod or service?')
    const deliveries = await fetchRecord<readonly DeliveryView[]>(
      `api/v1/trace/${encodeURIComponent(what)}`,
      values,
      io,
    )
    const text = renderAnswer(deliveries, values.output, 'text', () => deliveries.map(renderDelivery).join('\n\n'))
    if (deliveries.length === 0) io.err(`nothing is known of "${what}"`)
    if (deliveries.length > 0 || values.output !== 'text') io.out(text)
    return deliveries.length === 0 ? 1 : 0
  },
}

/** Two words, a word with a slash that is no image, or `--kind`: an object of the cluster. */
function isOfObject(argv: readonly string[]): boolean {
  if (argv.some((word) => /^--(kind|api-version)\b/.test(word))) return true
  const [first = '', second = '-'] = argv
  return !first.startsWith('-') && (!second.startsWith('-') || /^[A-Za-z.]+\/[^/:@]+$/.test(first))
}

/** The way of one delivery: a line a border. */
export function renderDelivery(delivery: DeliveryView): string {
  if (delivery.state === 'superseded') return `${nameOf(delivery)}: superseded, ${delivery.cause ?? ''}`
  const isPush = delivery.environment === '' && delivery.state === 'done'
  const title = `${nameOf(delivery)}: ${isPush ? 'pushed' : stateOf(delivery)}`
  const borders = delivery.borders.map((border) =>
    `  ${MARKS[border.state]} ${border.name.padEnd(10)}  ${timeOf(border.at)}  ${detailOf(border)}${byOf(border)}${logOf(delivery, border)}`.trimEnd(),
  )
  // a border that failed, or is waited at, says why by itself
  const isSaid =
    delivery.cause === undefined ||
    (delivery.service !== '' && delivery.state !== 'failed') ||
    delivery.borders.some(({ state }) => state === 'failed')
  return [title, ...(isSaid ? [] : [`  ${delivery.cause}`]), ...borders].join('\n')
}

/** On its way, it may wait for something that does not come by itself. */
function stateOf({ state, borders }: DeliveryView): string {
  const held = borders.find((border) => border.state === 'waiting' && border.detail !== '')
  return state === 'running' && held !== undefined ? `waits at ${held.name}` : HEALTH[state]
}

/** An apply lists what it changed; the first of many are enough for people. */
function detailOf({ name, state, detail }: BorderView): string {
  const parts = name === 'apply' && state === 'done' ? detail.split(', ') : [detail]
  const more = parts.length - MOST_CHANGES
  return more > 0 ? `${parts.slice(0, MOST_CHANGES).join(', ')} and ${more} more` : detail
}

function byOf({ by, detail }: BorderView): string {
  return by === undefined || detail.toLowerCase().startsWith(`${by.toLowerCase()}: `) ? '' : ` (pushed by ${by})`
}

/** Where the log of a run is that has not gone well, or not yet. */
function logOf({ runId }: DeliveryView, { name, state }: BorderView): string {
  const isOfInterest = name === 'ci' && runId !== undefined && (state === 'running' || state === 'failed')
  return isOfInterest ? ` (sluice logs run/${runId})` : ''
}

function nameOf({ service, version, environment, commit }: DeliveryView): string {
  const short = `commit ${commit.slice(0, 12)}`
  return service === ''
    ? [short, environment].filter(Boolean).join(' in ')
    : `${[service, version].filter(Boolean).join(' ')} in ${environment}, ${short}`
}

function timeOf(at: string | undefined): string {
  return at === undefined ? '        ' : at.slice(11, 19)
}
