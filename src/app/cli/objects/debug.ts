import { parseArgs } from 'node:util'
import { fetchVariables } from '../../../adapters/engine/kustomization/build/variables.ts'
import { parseKustomization } from '../../../kinds/kustomization.ts'
import { read } from '../../../lib/kube/read.ts'
import { dump } from '../../../lib/yaml/dump.ts'
import { CLUSTER_OPTIONS, CLUSTER_USAGE, withCluster } from '../cluster.ts'
import { type Command, usageError } from '../command.ts'
import { refuseMore } from '../misread.ts'
import { findKind, fluxKind, notServed, splitKind } from './kind-names.ts'

/** Where the fields are explained; the lines that flux puts before them. */
const PAGE = 'https://fluxcd.io/flux/components/kustomize/kustomizations'
const STATUS_PAGE = `# Status documentation: ${PAGE}/#kustomization-status`
const HISTORY_PAGE = `# History documentation: ${PAGE}/#history`

export const debug: Command = {
  name: 'debug',
  summary: 'Show what a Kustomization works with: the final variables, its status, its history',
  usage: `sluice debug kustomization <name> --show-vars | --show-status | --show-history ${CLUSTER_USAGE}`,
  async run(argv, io) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...CLUSTER_OPTIONS,
        'show-vars': { type: 'boolean' },
        'show-status': { type: 'boolean' },
        'show-history': { type: 'boolean' },
      },
    })
    const { kind: kindName, rest } = splitKind(positionals)
    refuseMore(rest, 1)
    const [name] = rest
    if (fluxKind(kindName)?.kind !== 'Kustomization' || name === undefined)
      return usageError(io, this, notServed(fluxKind(kindName)?.kind) ?? 'which Kustomization?')
    const wishes = [values['show-vars'], values['show-status'], values['show-history']].filter(Boolean)
    if (wishes.length !== 1) return usageError(io, this, 'say one of --show-vars, --show-status, --show-history')
    return withCluster(values, io, async (client) => {
      const kind = await findKind(client, 'kustomizations')
      const namespace = values.namespace ?? 'flux-system'
      const object = await client.get({ ...kind, namespace, name })
      if (!object) {
        io.err(`kustomizations "${name}" not found in ${namespace} namespace`)
        return 1
      }
      if (values['show-status']) io.out(STATUS_PAGE)
      if (values['show-status']) io.out(dump(read(object, 'status') ?? {}).trimEnd())
      if (values['show-history']) io.out(HISTORY_PAGE)
      if (values['show-history']) io.out(dump(read(object, 'status', 'history') ?? []).trimEnd())
      if (!values['show-vars']) return 0
      const found = await fetchVariables(client, parseKustomization(object))
      if ('missing' in found) {
        io.err(`${found.missing.kind} "${found.missing.name}" of spec.postBuild.substituteFrom not found`)
        return 1
      }
      if (!found.substitution) {
        io.err('no post build substitutions found')
        return 1
      }
      const pairs = Object.entries(found.substitution.variables).sort(([a], [b]) => (a < b ? -1 : 1))
      io.out(pairs.map(([key, value]) => `${key}=${value}`).join('\n'))
      return 0
    })
  },
}
