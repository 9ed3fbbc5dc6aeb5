import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { DRIVERS, type DriverName, isDriver } from '../../driver-names.ts'
import { readGitTokens } from '../../state/git-tokens.ts'
import { holdStateFolder } from '../../state/hold-state-folder.ts'
import type { StateFolder } from '../../state/state-folder.ts'
import { tokenOf } from '../../state/token.ts'
import { STATE_OPTION, stateDirOf } from '../cluster.ts'
import { type Command, type ExitCode, type Io, usageError } from '../command.ts'
import { refuseMore } from '../misread.ts'
import { own } from '../../../lib/value/own.ts'
import { stopped } from './stopped.ts'

/** One embedded server that runs: the line it prints when ready, and how it stops. */
type Running = { readonly ready: object; readonly close: () => Promise<void> }

type ServeOptions = {
  readonly folder: StateFolder
  readonly port: number
  readonly node: DriverName
  readonly disabled: readonly string[]
  readonly io: Io
}

export const serve: Command = {
  name: 'serve',
  summary: 'Run one embedded server alone: gitd, registryd or kubed',
  usage: `sluice serve gitd|registryd|kubed [--state DIR] [--port N] [--node ${DRIVERS.join('|')}] [--disable-admission-plugins A,B]`,
  async run(argv, io) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...STATE_OPTION,
        port: { type: 'string', default: '0' },
        node: { type: 'string', default: 'auto' },
        'disable-admission-plugins': { type: 'string', default: '' },
      },
    })
    const start = own(SERVERS, positionals[0] ?? '')
    if (start === undefined) return usageError(io, serve, 'which server: gitd, registryd or kubed?')
    refuseMore(positionals, 1)
    const port = Number(values.port)
    if (!Number.isInteger(port) || port < 0 || port > 65535) return usageError(io, serve, `no port: ${values.port}`)
    if (!isDriver(values.node)) return usageError(io, serve, `no such node driver: ${values.node}`)
    const folder = holdStateFolder(stateDirOf(values, io))
    try {
      const disabled = values['disable-admission-plugins'].split(',').filter((plugin) => plugin !== '')
      return await serveUntilStopped(await start({ folder, port, node: values.node, disabled, io }), io)
    } finally {
      folder.release()
    }
  },
}

const SERVERS: Readonly<Record<string, (options: ServeOptions) => Promise<Running>>> = {
  async gitd({ folder, port }) {
    const { serveGitd } = await import('../../../embedded/gitd/serve.ts')
    const token = tokenOf(folder, 'git-token.json')
    const named = () => readGitTokens(folder.dir)
    const server = await serveGitd({ root: join(folder.dir, 'git'), port, token, named })
    return { ready: { url: server.url, token }, close: () => server.close() }
  },
  async registryd({ folder, port, io }) {
    const { serveRegistryd } = await import('../../../embedded/registryd/serve.ts')
    const server = await serveRegistryd({ root: join(folder.dir, 'registry'), port, warn: io.err })
    return { ready: { url: server.url, token: '' }, close: () => server.close() }
  },
  async kubed({ folder, port, node, disabled, io }) {
    const { startCluster } = await import('../../cluster.ts')
    const cluster = await startCluster({
      stateDir: folder.dir,
      port,
      node,
      disableAdmissionPlugins: disabled,
      log: io.err,
    })
    const { kubeconfig, server, token } = cluster
    return { ready: { kubeconfig, server, token }, close: () => cluster.close({ stopPods: true }) }
  },
}

async function serveUntilStopped(running: Running, io: Io): Promise<ExitCode> {
  io.out(JSON.stringify(running.ready))
  await stopped(io.signal)
  await running.close()
  return 0
}
