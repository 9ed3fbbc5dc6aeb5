import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock } from '../../adapters/clock.ts'
import { startEngine } from '../../adapters/engine/start.ts'
import type { Reach } from '../../adapters/net/reach.ts'
import { clientFromKubeconfig } from '../../adapters/kube/client.ts'
import { usageError, type Command, type Io } from './command.ts'

const OPTIONS = {
  kubeconfig: { type: 'string' },
  state: { type: 'string', default: '.sluice' },
  'artifact-listen': { type: 'string', default: '127.0.0.1:9090' },
  'receiver-listen': { type: 'string', default: '127.0.0.1:9292' },
  traps: { type: 'string', default: 'safe' },
  'install-crds': { type: 'string', default: 'true' },
  'hook-reach': { type: 'string', default: 'any' },
  'no-cross-namespace-refs': { type: 'boolean', default: false },
  'registry-alias': { type: 'string', multiple: true },
  verbose: { type: 'boolean', short: 'v', default: false },
} as const

export const engine: Command = {
  name: 'engine',
  summary: "Do what Flux's controllers do, on any Kubernetes",
  usage:
    'sluice engine --kubeconfig FILE [--state DIR] [--artifact-listen H:P] [--receiver-listen H:P] [--traps safe|flux] [--install-crds=false] [--hook-reach any|private|public] [--no-cross-namespace-refs] [--registry-alias NAME=HOST:PORT]',
  async run(argv, io) {
    const { values } = parseArgs({ args: [...argv], options: OPTIONS })
    const kubeconfig = values.kubeconfig ?? io.env['KUBECONFIG']
    if (kubeconfig === undefined) return usageError(io, this, 'which cluster? say --kubeconfig')
    if (values.traps !== 'safe' && values.traps !== 'flux') return usageError(io, this, '--traps is safe or flux')
    if (!/^(true|false)$/.test(values['install-crds'])) return usageError(io, this, '--install-crds is true or false')
    const hookReach = parseReach(values['hook-reach'])
    if (hookReach === undefined) return usageError(io, this, '--hook-reach is any, private or public')
    const aliases = parseAliases(values['registry-alias'] ?? [])
    if (aliases === undefined) return usageError(io, this, '--registry-alias wants NAME=HOST:PORT')
    const client = clientFromKubeconfig(resolve(io.cwd, kubeconfig))
    const running = await startEngine({
      client,
      clock: systemClock,
      stateDir: join(resolve(io.cwd, values.state), 'engine'),
      artifactListen: values['artifact-listen'],
      receiverListen: values['receiver-listen'],
      traps: values.traps,
      installCrds: values['install-crds'] === 'true',
      registryAliases: aliases,
      hookReach,
      crossNamespace: !values['no-cross-namespace-refs'],
      log: values.verbose ? io.err : (line) => io.err(line.split('\n')[0] ?? ''),
    })
    io.out(JSON.stringify({ server: client.server, artifacts: values['artifact-listen'], traps: values.traps }))
    await untilStopped(io)
    await running.close()
    client.close()
    return 0
  },
}

function parseReach(word: string): Reach['scope'] | undefined {
  return word === 'any' || word === 'private' || word === 'public' ? word : undefined
}

function parseAliases(words: readonly string[]): Readonly<Record<string, string>> | undefined {
  const pairs = words.map((word) => /^([^=]+)=([^=]+)$/.exec(word))
  if (pairs.includes(null)) return undefined
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? '']))
}

/** Resolves at the first Ctrl-C or SIGTERM; keeps the process alive until then. */
function untilStopped({ signal }: Io): Promise<void> {
  const alive = setInterval(() => undefined, 1 << 30)
  return new Promise((done) => {
    const stop = (): void => {
      clearInterval(alive)
      done()
    }
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}
