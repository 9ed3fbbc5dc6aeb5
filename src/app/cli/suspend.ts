import { parseArgs } from 'node:util'
import { read } from '../../lib/kube/read.ts'
import { CLUSTER_OPTIONS, clusterOf } from './cluster.ts'
import { type Command, usageError } from './command.ts'
import { defaultNamespace } from './get.ts'
import { findKind, splitKind } from './kind-names.ts'

export const suspend: Command = switchCommand('suspend', true)
export const resume: Command = switchCommand('resume', false)

function switchCommand(name: 'suspend' | 'resume', isSuspended: boolean): Command {
  const command: Command = {
    name,
    summary: isSuspended ? 'Stop reconciling an object until it is resumed' : 'Reconcile a suspended object again',
    usage: `sluice ${name} <kind> <name...> [-n NAMESPACE] | --all`,
    async run(argv, io) {
      const { values, positionals } = parseArgs({
        args: [...argv],
        allowPositionals: true,
        options: { ...CLUSTER_OPTIONS, all: { type: 'boolean' } },
      })
      const { kind: kindName, rest } = splitKind(positionals)
      if (kindName === '' || (rest.length === 0 && !values.all)) return usageError(io, command, 'which object?')
      const client = clusterOf(values, io)
      try {
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
      } finally {
        client.close()
      }
    },
  }
  return command
}
