import { parseArgs } from 'node:util'
import type { Retained } from '../../../pipeline/image/retention.ts'
import type { PruneReport } from '../../prune/pruner.ts'
import { readAccess } from '../../state/access.ts'
import { renderTable } from '../../terminal/table.ts'
import { outputOption, STATE_OPTION, stateDirOf } from '../cluster.ts'
import type { Command } from '../command.ts'
import { parseCount } from '../deliveries/count.ts'
import { fetchRecord, postRecord } from '../deliveries/page-client.ts'
import { renderAnswer } from '../output.ts'

/** The most that the API takes. */
const MOST = 999_999

export const prune: Command = {
  name: 'prune',
  summary: 'Remove images and workflow runs that nothing needs any more, or tell which and why',
  usage:
    'sluice prune [--dry-run] [--newest N] [--days N] [--state DIR] [-o table|json|yaml]      what is kept, and why: --dry-run',
  async run(argv, io) {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        ...STATE_OPTION,
        'dry-run': { type: 'boolean', default: false },
        newest: { type: 'string' },
        days: { type: 'string' },
        ...outputOption('table'),
      },
    })
    const query = new URLSearchParams()
    if (values.newest !== undefined) query.set('newest', String(parseCount('--newest', values.newest, { most: MOST })))
    if (values.days !== undefined)
      query.set('days', String(parseCount('--days', values.days, { least: 0, most: MOST })))
    const path = `api/v1/prune?${query}`
    const report = values['dry-run']
      ? await fetchRecord<PruneReport>(path, values, io)
      : await postRecord<PruneReport>(path, { access: readAccess(stateDirOf(values, io)), user: '' })
    io.out(renderAnswer(report, values.output, 'table', () => renderPrune(report)))
    return 0
  },
}

/** A dry run shows everything with its reason; else what was removed. */
export function renderPrune(report: PruneReport): string {
  const { isDryRun, images, runs, builderBytes, nodeBytes } = report
  const row =
    (action: string) =>
    ({ repository, tags, digest, why }: Retained): readonly string[] => {
      const [tag = digest.slice(0, 'sha256:'.length + 12), ...more] = tags
      return [
        action,
        `${repository}${tags.length === 0 ? '@' : ':'}${tag}${more.length === 0 ? '' : ` +${more.length}`}`,
        why,
      ]
    }
  const removed = images.removed.map(row(isDryRun ? 'remove' : 'removed'))
  const rows = isDryRun ? [...images.kept.map(row('keep')), ...removed] : removed
  const table = rows.length === 0 ? [] : [renderTable(['ACTION', 'IMAGE', 'WHY'], rows), '']
  const sums = [
    `${images.removed.length} of ${images.kept.length + images.removed.length} images in the registry: ${sizeOf(images.freedBytes)}`,
    `workflow runs: ${runs.length}`,
    `unused steps and bases of image builds: ${builderBytes === undefined ? 'not now, something is built' : sizeOf(builderBytes)}`,
    `unused images of the node: ${nodeBytes === undefined ? 'kept by others, or one is pulled just now' : sizeOf(nodeBytes)}`,
  ]
  const verb = isDryRun ? 'would be removed:' : 'removed:'
  return [...table, verb, ...sums.map((line) => `  ${line}`)].join('\n')
}

function sizeOf(bytes: number): string {
  return bytes < 1 << 20 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / (1 << 20)).toFixed(1)} MiB`
}
