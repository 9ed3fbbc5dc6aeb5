import { parseArgs } from 'node:util'
import type { KubeClient } from '../../../adapters/kube/types.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { readList, readText } from '../../../lib/kube/read.ts'
import { parseInventoryEntry } from '../../../pipeline/apply/inventory.ts'
import { CLUSTER_OPTIONS, CLUSTER_USAGE, withCluster } from '../cluster.ts'
import { type Command, usageError } from '../command.ts'
import { refuseMore } from '../misread.ts'
import { findKind, fluxKind, notServed, splitKind } from './kind-names.ts'

/** An object and what it brought. */
type Tree = { readonly name: string; readonly children: readonly Tree[] }

const DEEPEST = 16

export const tree: Command = {
  name: 'tree',
  summary: 'Show what a Kustomization has applied, and what that has applied',
  usage: `sluice tree kustomization <name> [--compact] [-o json] ${CLUSTER_USAGE}`,
  async run(argv, io) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...CLUSTER_OPTIONS,
        compact: { type: 'boolean', default: false },
        output: { type: 'string', short: 'o' },
      },
    })
    const { kind: kindName, rest } = splitKind(positionals)
    refuseMore(rest, 1)
    const [name] = rest
    if (fluxKind(kindName)?.kind !== 'Kustomization' || name === undefined)
      return usageError(io, this, notServed(fluxKind(kindName)?.kind) ?? 'which Kustomization?')
    if (values.output !== undefined && values.output !== 'json') return usageError(io, this, '-o is json')
    return withCluster(values, io, async (client) => {
      const { apiVersion } = await findKind(client, 'kustomizations')
      const walk = { client, apiVersion, isCompact: values.compact, above: [] }
      const root = await growTree(walk, values.namespace ?? 'flux-system', name)
      io.out(values.output === 'json' ? JSON.stringify(root, undefined, 2) : renderTree(root).join('\n'))
      return 0
    })
  },
}

type Walk = {
  readonly client: KubeClient
  readonly apiVersion: string
  readonly isCompact: boolean
  /** The way from the root: an object that applies itself is shown once. */
  readonly above: readonly string[]
}

async function growTree(walk: Walk, namespace: string, name: string): Promise<Tree> {
  const { client, apiVersion, isCompact, above } = walk
  const object = await client.get({ apiVersion, kind: 'Kustomization', namespace, name })
  const own = `Kustomization/${namespace}/${name}`
  if (!object && above.length === 0)
    throw new SluiceError('OBJECT_MISSING', `kustomizations "${name}" not found`, {
      where: `namespace ${namespace}`,
      hint: 'sluice get kustomizations -A lists what there is',
    })
  const children: Tree[] = []
  for (const entry of readList(object, 'status', 'inventory', 'entries')) {
    const ref = parseInventoryEntry({ id: readText(entry, 'id'), v: readText(entry, 'v') })
    if (!ref) continue
    const label = [ref.kind, ref.namespace, ref.name].filter((part) => part !== '').join('/')
    const isFlux = ref.apiVersion.includes('.toolkit.fluxcd.io/')
    const isNew = label !== own && !above.includes(label) && above.length < DEEPEST
    if (ref.kind === 'Kustomization' && isFlux && isNew)
      children.push(await growTree({ ...walk, above: [...above, own] }, ref.namespace, ref.name))
    else if (isFlux || !isCompact) children.push({ name: label, children: [] })
  }
  return { name: own, children }
}

/** The tree as lines, as flux draws it. */
function renderTree({ name, children }: Tree): string[] {
  const branches = children.flatMap((child, at) => {
    const isLast = at === children.length - 1
    const [head = '', ...rest] = renderTree(child)
    return [`${isLast ? '└── ' : '├── '}${head}`, ...rest.map((line) => `${isLast ? '    ' : '│   '}${line}`)]
  })
  return [name, ...branches]
}
