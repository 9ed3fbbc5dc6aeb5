// How long a pod takes from its creation to Ready on our node (Linux driver), beside how long its program takes by itself to answer.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KubeObject } from '../src/lib/kube/object.ts'
import { startCluster, type Cluster } from '../src/app/cluster.ts'
import { serveRegistryd } from '../src/embedded/registryd/serve.ts'
import { packTar } from '../src/lib/tar/write.ts'
import { nodeLayer, pushImage } from '../tests/support/node-image.ts'

const PODS = 9
const IMAGE = 'registry.sluice.local/demo/web:1.0.0'
const PROGRAM = `import http from 'node:http'
http.createServer((_, response) => response.end('ok')).listen(Number(process.env.PORT ?? 8080), () => console.log('listening'))
process.on('SIGTERM', () => process.exit(0))
`

async function main(): Promise<void> {
  print('load of the machine before', loadavg()[0] ?? 0, 'processes')
  const dir = mkdtempSync(join(tmpdir(), 'kubed-pod-bench-'))
  const registryd = await serveRegistryd({ root: join(dir, 'registry'), port: 0 })
  const app = packTar([
    { path: 'app', type: 'directory' },
    { path: 'app/server.mjs', type: 'file', content: Buffer.from(PROGRAM) },
  ])
  await pushImage(registryd.host, 'demo/web', '1.0.0', [nodeLayer(), app], { Cmd: ['node', '/app/server.mjs'] })
  const registry = { alias: 'registry.sluice.local', url: registryd.url }
  const cluster = await startCluster({ stateDir: dir, port: 0, node: 'linux', registry, log: () => undefined })
  try {
    await measure(cluster, dir)
  } finally {
    await cluster.close({ stopPods: true })
    await registryd.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

async function measure(cluster: Cluster, dir: string): Promise<void> {
  print('pod of an image that is not on the node yet, created to Ready', await createdToReady(cluster, 'first'), 'ms')
  const file = join(dir, 'server.mjs')
  writeFileSync(file, PROGRAM)
  const pods: number[] = []
  const alone: number[] = []
  // In turn, so that a load of the machine meets both.
  for (let index = 0; index < PODS; index++) {
    alone.push(await untilListening(file))
    pods.push(await createdToReady(cluster, `pod-${index}`))
  }
  print('its program by itself, started to listening', median(alone), 'ms')
  print('pod, created to Ready', median(pods), 'ms')
  print("pod, created to Ready, above the program's own start", median(pods) - median(alone), 'ms')
}

/** Ends the pod again, so that the next one has the machine for itself. */
async function createdToReady({ client, caches }: Cluster, name: string): Promise<number> {
  const pods = caches.open({ apiVersion: 'v1', kind: 'Pod' })
  await pods.ready
  const until = (reached: (pod: KubeObject, type: string) => boolean): Promise<void> =>
    new Promise((done) => {
      const stop = pods.onChange((pod, type) => {
        if (pod.metadata.name !== name || !reached(pod, type)) return
        stop()
        done()
      })
    })
  const ready = until(isReady)
  const gone = until((_, type) => type === 'DELETED')
  const beganMs = performance.now()
  await client.create(podOf(name), { fieldManager: 'bench' })
  await ready
  const tookMs = performance.now() - beganMs
  await client.delete({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name })
  await gone
  pods.close()
  return tookMs
}

function podOf(name: string): KubeObject {
  const main = { name: 'main', image: IMAGE, readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 } }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { terminationGracePeriodSeconds: 2, containers: [main] },
  }
}

function isReady({ status }: KubeObject): boolean {
  const { conditions = [] } = (status ?? {}) as { conditions?: { type: string; status: string }[] }
  return conditions.some((each) => each.type === 'Ready' && each.status === 'True')
}

/** The same program without a pod around it. */
async function untilListening(file: string): Promise<number> {
  const beganMs = performance.now()
  const child = spawn(process.execPath, [file], {
    env: { PATH: process.env['PATH'], PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise((said) => child.stdout.once('data', said))
  const tookMs = performance.now() - beganMs
  child.kill()
  await new Promise((ended) => child.once('exit', ended))
  return tookMs
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function print(name: string, value: number, unit: string): void {
  console.log(JSON.stringify({ name, value: Math.round(value * 100) / 100, unit }))
}

void main()
