import { parseArgs } from 'node:util'
import { CLUSTER_OPTIONS, CLUSTER_USAGE, withCluster } from '../cluster.ts'
import { type Command, usageError } from '../command.ts'
import { defaultNamespace } from './get.ts'
import { refuseMore } from '../misread.ts'
import { findKind, splitKind } from './kind-names.ts'

export const deleteCommand: Command = {
  name: 'delete',
  summary: 'Delete an object, and what it applied where it prunes',
  usage: `sluice delete <kind> <name> --silent ${CLUSTER_USAGE}`,
  async run(argv, io) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...CLUSTER_OPTIONS, silent: { type: 'boolean', short: 's', default: false } },
    })
    const { kind: kindName, rest } = splitKind(positionals)
    refuseMore(rest, 1)
    const [name] = rest
    if (kindName === '' || name === undefined) return usageError(io, this, 'which object?')
    if (!values.silent) return usageError(io, this, `nothing is asked here: say --silent to delete ${kindName} ${name}`)
    return withCluster(values, io, async (client) => {
      const kind = await findKind(client, kindName)
      const namespace = values.namespace ?? defaultNamespace(kind)
      if (!(await client.delete({ ...kind, namespace, name }))) {
        io.err(`${kind.plural} "${name}" not found in ${namespace} namespace`)
        return 1
      }
      io.out(`✔ ${kind.kind} ${name} in ${namespace} namespace deleted`)
      return 0
    })
  },
}
