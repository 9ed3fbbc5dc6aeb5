import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock } from '../../../adapters/clock.ts'
import { clientOf } from '../../../adapters/kube/client.ts'
import { readKubeconfig } from '../../../adapters/kube/kubeconfig.ts'
import { startNode } from '../../../agents/node/start.ts'
import { markFormat, openStateFolder } from '../../state/format.ts'
import { STATE_OPTION, stateDirOf } from '../cluster.ts'
import { usageError, type Command } from '../command.ts'
import { stopped } from './stopped.ts'

const DRIVERS = ['auto', 'linux', 'engine', 'process', 'sim'] as const

/** `sluice node`: this machine as a node of any Kubernetes API. */
export const node: Command = {
  name: 'node',
  summary: 'Run pods on this machine for a Kubernetes API',
  usage:
    'sluice node --kubeconfig FILE --name N [--driver auto|linux|engine|process|sim] [--state DIR] [--registry URL] [--registry-alias NAME] [--keep-pods]',
  async run(argv, io) {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        kubeconfig: { type: 'string' },
        name: { type: 'string', default: hostname().toLowerCase() },
        driver: { type: 'string', default: 'auto' },
        ...STATE_OPTION,
        registry: { type: 'string', default: '' },
        'registry-alias': { type: 'string', default: 'registry.sluice.local' },
        'keep-pods': { type: 'boolean', default: false },
      },
    })
    const kubeconfig = values.kubeconfig ?? io.env['KUBECONFIG']
    if (kubeconfig === undefined) return usageError(io, this, '--kubeconfig is missing')
    const driver = DRIVERS.find((word) => word === values.driver)
    if (driver === undefined) return usageError(io, this, `"${values.driver}" is no driver`)
    const root = stateDirOf(values, io)
    const stateDir = openStateFolder(root, join('node', values.name))
    markFormat(root)
    const connection = readKubeconfig(resolve(io.cwd, kubeconfig))
    const client = clientOf(connection)
    try {
      const started = await startNode({
        client,
        caPem: connection.caPem,
        apiServer: connection.server,
        clock: systemClock,
        name: values.name,
        driver,
        stateDir,
        registry: { alias: values['registry-alias'], url: values.registry },
        log: io.err,
      })
      io.out(JSON.stringify({ name: values.name, driver: started.driver }))
      await stopped(io.signal)
      await started.close({ stopPods: !values['keep-pods'] })
      return 0
    } finally {
      client.close()
    }
  },
}
