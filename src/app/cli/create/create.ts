import { parseArgs } from 'node:util'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { CLUSTER_OPTIONS, CLUSTER_USAGE, withCluster } from '../cluster.ts'
import { type Command, usageError } from '../command.ts'
import { noSuch } from '../misread.ts'
import { createSecret, createTenant } from './create-extra.ts'
import { CREATED_KINDS } from './create-kinds.ts'
import { parseLabels } from './labels.ts'
import { renderForGit } from '../objects/export.ts'
import { fluxKind, notServed, splitKind } from '../objects/kind-names.ts'

export const create: Command = {
  name: 'create',
  summary: "Create or change an object of Flux's kinds from flags, as flux create does",
  usage: `sluice create <kind> | secret <form> | tenant <name> [flux’s flags of that kind] [--label K=V]… [--export] ${CLUSTER_USAGE}`,
  async run(argv, io) {
    if (argv[0] === 'secret') return createSecret(argv.slice(1), io)
    if (argv[0] === 'tenant') return createTenant(argv.slice(1), io)
    const { kind, name, rest } = splitWords(argv)
    const refusal = notServed(kind)
    if (refusal !== undefined) return usageError(io, this, refusal)
    const known = CREATED_KINDS[kind]
    if (!known || name === undefined) {
      const kinds = Object.keys(CREATED_KINDS)
      const [word] = argv
      const isUnknown = kind === '' && word !== undefined && !word.startsWith('-')
      const question = isUnknown ? noSuch('kind', word, [...kinds, 'secret', 'tenant']) : 'which object?'
      return usageError(
        io,
        this,
        `${question}${question.endsWith('?') ? '' : ';'} kinds: ${kinds.join(', ')}; secret, tenant`,
      )
    }
    const flags = Object.entries(known.flags).map(
      ([key, { type, multiple = false }]) => [key, { type, multiple }] as const,
    )
    const { values } = parseArgs({
      args: [...rest],
      options: {
        ...Object.fromEntries(flags),
        ...CLUSTER_OPTIONS,
        label: { type: 'string', multiple: true },
        export: { type: 'boolean' },
      },
    })
    const { namespace = 'flux-system', label = [] } = values
    const spec: Record<string, unknown> = { ...known.defaults }
    for (const [key, { put }] of Object.entries(known.flags)) {
      const given: unknown = Reflect.get(values, key)
      if (given !== undefined) put(spec, (Array.isArray(given) ? given : [given]).map(String))
    }
    const metadata = { name, namespace, ...(label.length > 0 ? { labels: parseLabels(label) } : {}) }
    const object: KubeObject = { apiVersion: known.apiVersion, kind, metadata, spec }
    if (values.export) {
      io.out(renderForGit(object))
      return 0
    }
    return withCluster(values, io, async (client) => {
      const { apiVersion } = object
      await client.patch({ apiVersion, kind, namespace, name }, 'apply', object, { fieldManager: 'flux', force: true })
      io.out(`✔ ${kind} ${name} in ${namespace} namespace created`)
      return 0
    })
  },
}

/** The words before the first flag: the kind, as flux says it, and the name. */
function splitWords(argv: readonly string[]) {
  const end = argv.findIndex((word) => word.startsWith('-'))
  const words = end < 0 ? argv : argv.slice(0, end)
  const { kind, rest } = splitKind(words)
  return { kind: fluxKind(kind)?.kind ?? '', name: rest[0], rest: [...rest.slice(1), ...argv.slice(words.length)] }
}
