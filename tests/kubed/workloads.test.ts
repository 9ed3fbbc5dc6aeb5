import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { systemClock } from '../../src/adapters/clock.ts'
import { clientFromKubeconfig } from '../../src/adapters/kube/client.ts'
import { startWorkloads } from '../../src/agents/workloads/start.ts'
import { serveKubed } from '../../src/embedded/kubed/serve.ts'
import { controlPlaneBinary, startControlPlane } from '../lib/control-plane.ts'
import { LONG_MS } from '../support/wait.ts'

type Server = { readonly kubeconfig: string; readonly server: string; readonly token: string; stop(): Promise<void> }

const conformance = join(process.env['SLUICE_CONFORMANCE'] ?? '../shared/conformance', 'kube-apiserver')
const replay = join(conformance, 'replay.mjs')

/** Folders of recordings, and how long one may take. The CronJob alone waits for a full minute: it is in the soak. */
const folders = [
  'rollout',
  'hash',
  'replicaset',
  'statefulset',
  'daemonset',
  'job',
  'pdb',
  'hpa',
  'endpointslice',
  'gc',
  'events',
]

const servers: { name: string; skip: string | false; start: () => Promise<Server> }[] = [
  { name: 'kubed', skip: false, start: startKubed },
  {
    name: 'a real API server',
    skip: controlPlaneBinary() === undefined ? 'no kube-control-plane at hand (SLUICE_PEERS)' : false,
    start: () => startControlPlane({ controllers: false }),
  },
]

// Both wait most of the time, each for its own server.
describe('the controllers', { concurrency: true }, () => {
  for (const { name, skip, start } of servers)
    test(
      `do on ${name} what Kubernetes' own were recorded to do`,
      { skip: existsSync(replay) ? skip : 'no recordings at hand (SLUICE_CONFORMANCE)', timeout: LONG_MS },
      async () => {
        const server = await start()
        const client = clientFromKubeconfig(server.kubeconfig)
        const faults: string[] = []
        const workloads = await startWorkloads({ client, clock: systemClock, log: (line) => faults.push(line) })
        try {
          const failed: string[] = []
          for (const folder of folders) failed.push(...(await replayTwice(server, folder)))
          assert.deepEqual(failed, [], faults.slice(-20).join('\n'))
        } finally {
          await workloads.close()
          client.close()
          await server.stop()
        }
      },
    )
})

async function startKubed(): Promise<Server> {
  const stateDir = mkdtempSync(join(tmpdir(), 'sluice-workloads-'))
  // As recorded: without that plugin pods name no ServiceAccount.
  const kubed = await serveKubed({ stateDir, port: 0, disableAdmissionPlugins: ['ServiceAccount'] })
  return {
    ...kubed,
    async stop() {
      await kubed.close()
      rmSync(stateDir, { recursive: true, force: true })
    },
  }
}

/**
 * Replays a folder; answers the lines of what failed. What failed is replayed once more, alone: some recordings look at the moment at which a
 * condition appears, and on a busy machine the count beside it comes a moment later.
 */
async function replayTwice(server: Server, folder: string): Promise<string[]> {
  const failed = await replayFolder(server, folder, `${folder}/*`)
  const again: string[] = []
  for (const line of failed) {
    const [, scenario = ''] = line.split(/\s+/)
    again.push(...(await replayFolder(server, folder, scenario)))
  }
  return again
}

function replayFolder({ server, token }: Server, folder: string, only: string): Promise<string[]> {
  const args = ['--server', server, '--token', token, '--insecure', '--dir', join(conformance, 'controllers')]
  const child = spawn(process.execPath, [replay, ...args, '--only', only, '--parallel', '6'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  return new Promise((resolve) => {
    child.once('exit', (code) => {
      const lines = text.split('\n')
      const failed = lines.flatMap((line, at) =>
        line.startsWith('FAIL')
          ? [
              lines
                .slice(at, at + 3)
                .join(' ')
                .slice(0, 600),
            ]
          : [],
      )
      resolve(code !== 0 && failed.length === 0 && !/0 failed/.test(text) ? [`${folder}: ${text.slice(-500)}`] : failed)
    })
  })
}
