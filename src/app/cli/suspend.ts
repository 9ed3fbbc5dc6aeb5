import { parseArgs } from 'node:util'
import { read } from '../../lib/kube/read.ts'
import { CLUSTER_OPTIONS, CLUSTER_USAGE, withCluster } from './cluster.ts'
import { type Command, usageError } from './command.ts'
import { defaultNamespace } from './get.ts'
import { findKind, splitKind } from './kind-names.ts'

export const suspend: Command = switchCommand('suspend', true)
export const resume: Command = switchCommand('resume', false)

function switchCommand(name: 'suspend' | 'resume', isSuspended: boolean): Command {
  const command: Command = {
    name,
    summary: isSuspended ? 'Stop reconciling an object until it is resumed' : 'Reconcile a suspended object again',
    usage: `sluice ${name} <kind> <name...> | --all ${CLUSTER_USAGE}`,
    async run(argv, io) {
      const { values, positionals } = parseArgs({
        args: [...argv],
        allowPositionals: true,
        options: { ...CLUSTER_OPTIONS, all: { type: 'boolean' } },
      })
      const { kind: kindName, rest } = splitKind(positionals)
      if (kindName === '' || (rest.length === 0 && !values.all)) return usageError(io, command, 'which object?')
      return withCluster(values, io, async (client) => {
        const kind = await findKind(client, kindName)
        const namespace = values.namespace ?? defaultNamespace(kind)
        const all = values.all
          ? (await client.list({ ...kind, namespace })).items.map((object) => object.metadata.name)
          : rest
        for (const objectName of all) {
          const ref = { ...kind, namespace, name: objectName }
          const after = await client.patch(ref, 'merge', { spec: { suspend: isSuspended } }, { fieldManager: 'flux' })
          io.out(
            `✔ ${kind.kind} ${objectName} in ${namespace} namespace ${read(after, 'spec', 'suspend') === true ? 'suspended' : 'resumed'}`,
          )
        }
        return 0
      })
    },
  }
  return command
}
