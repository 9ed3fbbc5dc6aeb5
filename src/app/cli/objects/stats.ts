import { parseArgs } from 'node:util'
import { isSuspended } from '../../../kinds/flux-object.ts'
import { conditionOf, read } from '../../../lib/kube/read.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { renderTable } from '../../terminal/table.ts'
import { renderAnswer } from '../output.ts'
import { LIST_OPTIONS, LIST_USAGE, outputOption, withCluster } from '../cluster.ts'
import type { Command } from '../command.ts'
import { findKinds, FLUX_KINDS } from './kind-names.ts'

export const stats: Command = {
  name: 'stats',
  summary: 'Count the objects of each kind: running, failing, suspended, bytes of artifacts',
  usage: `sluice stats [-o table|json|yaml] ${LIST_USAGE}`,
  async run(argv, io) {
    const { values } = parseArgs({
      args: [...argv],
      options: { ...LIST_OPTIONS, ...outputOption('table') },
    })
    return withCluster(values, io, async (client) => {
      const rows: Row[] = []
      const namespace = values['all-namespaces'] ? undefined : (values.namespace ?? 'flux-system')
      const kinds = await findKinds(
        client,
        FLUX_KINDS.map(({ plural, group }) => `${plural}.${group}`),
      )
      for (const found of kinds)
        rows.push(countOf(found.kind, (await client.list({ ...found, ...(namespace ? { namespace } : {}) })).items))
      const cells = rows.map(({ kind, running, failing, suspended, storage }) =>
        [kind, running, failing, suspended, storage === 0 ? '-' : sizeText(storage)].map(String),
      )
      const header = ['RECONCILERS', 'RUNNING', 'FAILING', 'SUSPENDED', 'STORAGE']
      io.out(renderAnswer(rows, values.output, 'table', () => renderTable(header, cells)))
      return 0
    })
  },
}

type Row = {
  readonly kind: string
  readonly running: number
  readonly failing: number
  readonly suspended: number
  readonly storage: number
}

function countOf(kind: string, objects: readonly KubeObject[]): Row {
  const sizes = objects.map((object) => read(object, 'status', 'artifact', 'size'))
  return {
    kind,
    running: objects.filter((object) => !isSuspended(object)).length,
    failing: objects.filter((object) => conditionOf(object, 'Ready')?.status === 'False').length,
    suspended: objects.filter(isSuspended).length,
    storage: sizes.reduce<number>((sum, size) => sum + (typeof size === 'number' ? size : 0), 0),
  }
}

function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
