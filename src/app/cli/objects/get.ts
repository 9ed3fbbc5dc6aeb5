import { parseArgs } from 'node:util'
import type { KubeClient } from '../../../adapters/kube/types.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { readList, readText } from '../../../lib/kube/read.ts'
import { dump } from '../../../lib/yaml/dump.ts'
import { renderTable } from '../../terminal/table.ts'
import { LIST_OPTIONS, LIST_USAGE, outputOption, WATCH_OPTION, withCluster } from '../cluster.ts'
import { columnsOf } from './columns.ts'
import { type Command, type ExitCode, type Io, usageError } from '../command.ts'
import { refuseMore } from '../misread.ts'
import { findKind, findKinds, kindsOfGroup, type NamedKind, splitKind } from './kind-names.ts'

const SELECTION_OPTIONS = {
  'label-selector': { type: 'string', short: 'l' },
  'status-selector': { type: 'string' },
  'no-header': { type: 'boolean', default: false },
} as const

/** `ready=false`: which status a condition has, as flux takes it. `undefined`: the words are none. */
function parseStatusSelector(words = ''): ((object: KubeObject) => boolean) | undefined {
  if (words === '') return () => true
  const [, type, status] = /^(\w+)=(\w+)$/.exec(words.toLowerCase()) ?? []
  if (type === undefined || status === undefined) return undefined
  return (object) =>
    readList(object, 'status', 'conditions').some(
      (condition) =>
        readText(condition, 'type').toLowerCase() === type && readText(condition, 'status').toLowerCase() === status,
    )
}

const FORMATS = ['table', 'wide', 'json', 'yaml', 'name']

export const get: Command = {
  name: 'get',
  summary: 'List objects: Flux kinds with their revision and message, any other kind by name',
  usage: `sluice get <kind | all | images all | sources all> [name] [-o table|wide|json|yaml|name] [-w] [-l LABELS] [--status-selector ready=false] [--no-header] ${LIST_USAGE}`,
  async run(argv, io) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...LIST_OPTIONS, ...WATCH_OPTION, ...SELECTION_OPTIONS, ...outputOption('table') },
    })
    const group = kindsOfGroup(positionals)
    const { kind: kindName, rest } = splitKind(positionals)
    if (group === undefined) refuseMore(rest, 1)
    if (kindName === '') return usageError(io, get, 'which kind?')
    if (!FORMATS.includes(values.output)) return usageError(io, get, `no such output format: ${values.output}`)
    const isStatus = parseStatusSelector(values['status-selector'])
    if (isStatus === undefined)
      return usageError(io, get, '--status-selector wants a condition and its status, as ready=false')
    if (group && values.watch) return usageError(io, get, 'one kind at a time can be watched')
    if (values.watch && values.output !== 'table' && values.output !== 'wide')
      return usageError(io, get, `-w shows a table, not ${values.output}`)
    const chosen = {
      ...{ format: values.output, isStatus, noHeader: values['no-header'] },
      ...(values['label-selector'] === undefined ? {} : { labelSelector: values['label-selector'] }),
    }
    return withCluster(values, io, async (client) => {
      if (group) {
        const namespace = values['all-namespaces'] ? undefined : (values.namespace ?? 'flux-system')
        return await listGroup(client, group, { ...chosen, namespace }, io)
      }
      const kind = await findKind(client, kindName)
      const namespace =
        values['all-namespaces'] || !kind.namespaced ? undefined : (values.namespace ?? defaultNamespace(kind))
      const view: View = { ...chosen, kind, namespace, name: rest[0] }
      return values.watch ? await watchObjects(client, view, io) : await listObjects(client, view, io)
    })
  },
}

type View = {
  readonly kind: NamedKind
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly format: string
  readonly labelSelector?: string
  readonly isStatus: (object: KubeObject) => boolean
  readonly noHeader: boolean
  /** Whether rows say `kind/name`: tables of several kinds. */
  readonly namesKind?: boolean
}

/** The namespace when none is said: Flux's own for its kinds, as flux does; `default` for others, as kubectl does. */
export function defaultNamespace(kind: NamedKind): string {
  return kind.apiVersion.includes('.toolkit.fluxcd.io/') ? 'flux-system' : 'default'
}

async function listObjects(client: KubeClient, view: View, io: Io): Promise<ExitCode> {
  const objects = await fetchObjects(client, view)
  if (objects.length === 0 && (view.format === 'table' || view.format === 'wide')) {
    io.err(view.namespace === undefined ? 'No resources found' : `No resources found in ${view.namespace} namespace.`)
    return 0
  }
  io.out(renderObjects(objects, view))
  return 0
}

/** Several kinds, as `flux get all` shows them: a table each, those without an object left out. */
async function listGroup(
  client: KubeClient,
  kindNames: readonly string[],
  asked: Omit<View, 'kind' | 'name' | 'namesKind'>,
  io: Io,
): Promise<ExitCode> {
  const { namespace, format } = asked
  const found: { readonly objects: readonly KubeObject[]; readonly view: View }[] = []
  for (const kind of await findKinds(client, kindNames)) {
    const view: View = { ...asked, kind, name: undefined, namesKind: true }
    const objects = await fetchObjects(client, view)
    if (objects.length > 0) found.push({ objects, view })
  }
  const first = found[0]
  if (first === undefined) {
    io.err(namespace === undefined ? 'No resources found' : `No resources found in ${namespace} namespace.`)
    return 0
  }
  const isData = format === 'json' || format === 'yaml'
  if (isData)
    io.out(
      renderObjects(
        found.flatMap(({ objects }) => objects),
        first.view,
      ),
    )
  else io.out(found.map(({ objects, view }) => renderObjects(objects, view)).join(format === 'name' ? '\n' : '\n\n'))
  return 0
}

function selectionOf({ kind, namespace, labelSelector }: View) {
  const labels = labelSelector === undefined ? {} : { labelSelector }
  return { ...kind, ...labels, ...(namespace === undefined ? {} : { namespace }) }
}

async function fetchObjects(client: KubeClient, view: View): Promise<readonly KubeObject[]> {
  const { kind, namespace, name } = view
  if (name === undefined) return (await client.list(selectionOf(view))).items.filter(view.isStatus)
  const object = await client.get({ ...kind, namespace: namespace ?? '', name })
  if (object === undefined)
    throw new SluiceError('OBJECT_MISSING', `${kind.plural} "${name}" not found`, {
      where: `namespace ${namespace ?? ''}`,
      hint: `sluice get ${kind.plural} -A lists what there is`,
    })
  return [object]
}

function renderObjects(objects: readonly KubeObject[], view: View): string {
  const one = view.name === undefined ? undefined : objects[0]
  const whole = one ?? { apiVersion: 'v1', kind: 'List', items: objects }
  if (view.format === 'json') return JSON.stringify(whole, undefined, 2)
  if (view.format === 'yaml') return dump(whole).trimEnd()
  if (view.format === 'name') return objects.map((object) => `${nameOf(view.kind)}/${object.metadata.name}`).join('\n')
  const rows = objects.map((object) => rowOf(object, view))
  const table = renderTable(headerOf(view), rows)
  return view.noHeader ? table.slice(table.indexOf('\n') + 1) : table
}

async function watchObjects(client: KubeClient, view: View, io: Io): Promise<ExitCode> {
  const selection = selectionOf(view)
  const isWanted = (object: KubeObject): boolean =>
    (view.name === undefined || object.metadata.name === view.name) && view.isStatus(object)
  const { items, resourceVersion } = await client.list(selection)
  io.out(renderObjects(items.filter(isWanted), view))
  await client.watch(
    selection,
    resourceVersion,
    ({ type, object }) => {
      if (type === 'BOOKMARK' || type === 'ERROR') return
      if (isWanted(object)) io.out(rowOf(object, view).join('   '))
    },
    io.signal,
  )
  return 0
}

function headerOf(view: View): readonly string[] {
  const columns = columnsOf(view.kind.kind, view.format === 'wide').map((column) => column.header)
  return view.namespace === undefined && view.kind.namespaced ? ['NAMESPACE', ...columns] : columns
}

function rowOf(object: KubeObject, view: View): readonly string[] {
  const [name = '', ...others] = columnsOf(view.kind.kind, view.format === 'wide').map((column) =>
    column.cell(object, Date.now()),
  )
  const cells = [view.namesKind ? `${view.kind.kind.toLowerCase()}/${name}` : name, ...others]
  return view.namespace === undefined && view.kind.namespaced ? [object.metadata.namespace ?? '', ...cells] : cells
}

function nameOf(kind: NamedKind): string {
  const group = kind.apiVersion.includes('/') ? `.${kind.apiVersion.split('/')[0]}` : ''
  return `${kind.kind.toLowerCase()}${group}`
}
