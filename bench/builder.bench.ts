/**
 * The builder beside buildah (when installed): an image of one 60 MiB COPY built and pushed to registryd, and the same again
 * with nothing changed. Prints a JSON line for each figure.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRegistryClient } from '../src/adapters/registry/client.ts'
import { makeNodeBaseImage } from '../src/agents/builder/base-image.ts'
import { buildImage } from '../src/agents/builder/build.ts'
import { pushImage } from '../src/agents/builder/images.ts'
import { openImageStore } from '../src/agents/builder/store.ts'
import { startRegistryd } from './registryd-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-builder-'))
const registry = await startRegistryd(join(folder, 'registry'))
try {
  const ours = await measureOurs()
  const hasBuildah = spawnSync('buildah', ['--version']).error === undefined
  const theirs: Readonly<Record<string, number>> = hasBuildah ? measureBuildah() : {}
  for (const [name, value] of Object.entries(ours)) {
    const peer = theirs[name]
    const ratio = peer === undefined ? {} : { peer, peerName: 'buildah', ratio: round(value / peer) }
    console.log(JSON.stringify({ name: `builder: ${name}`, value, unit: 'ms', ...ratio }))
  }
} finally {
  await registry.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function measureOurs(): Promise<Record<string, number>> {
  const client = createRegistryClient({ aliases: { 'registry.sluice.local': registry.host } })
  const store = openImageStore(join(folder, 'images'))
  const figures: Record<string, number> = {}
  figures['base image of the machine, first'] = await timed(() => makeNodeBaseImage(store))
  figures['base image of the machine, again'] = await timed(() => makeNodeBaseImage(store))
  const builds: number[] = []
  const pushes: number[] = []
  const unchanged: number[] = []
  for (let turn = 0; turn < 3; turn++) {
    const contextDir = makeContext(`ours${turn}`)
    const tag = `registry.sluice.local/bench/ours:${turn}`
    const o = { contextDir, store, tags: [tag] }
    builds.push(await timed(() => buildImage(o)))
    pushes.push(await timed(() => pushImage(store, tag, client)))
    unchanged.push(await timed(async () => (await buildImage(o), pushImage(store, tag, client))))
  }
  client.close()
  const both = builds.map((ms, index) => ms + (pushes[index] ?? 0))
  figures['60 MiB COPY, built'] = Math.min(...builds)
  figures['60 MiB COPY, pushed'] = Math.min(...pushes)
  figures['60 MiB COPY, built and pushed'] = Math.min(...both)
  figures['nothing changed, built and pushed'] = Math.min(...unchanged)
  return figures
}

function measureBuildah(): Record<string, number> {
  const contextDir = makeContext('theirs')
  const policy = join(folder, 'policy.json')
  writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}')
  const tag = `${registry.host}/bench/theirs:1`
  const where = ['--storage-driver', 'overlay', '--root', join(folder, 'R'), '--runroot', join(folder, 'RR')]
  const build = (): void => run([...where, 'bud', '--layers', '--isolation', 'chroot', '-t', tag, contextDir])
  const push = (): void => run([...where, 'push', '--signature-policy', policy, '--tls-verify=false', tag])
  const built = timedNow(build)
  const pushed = timedNow(push)
  const unchanged = timedNow(() => (build(), push()))
  spawnSync('buildah', [...where, 'rm', '--all'])
  spawnSync('umount', [join(folder, 'R', 'overlay')])
  return {
    '60 MiB COPY, built': built,
    '60 MiB COPY, pushed': pushed,
    '60 MiB COPY, built and pushed': built + pushed,
    'nothing changed, built and pushed': unchanged,
  }
}

function makeContext(name: string): string {
  const dir = join(folder, name)
  mkdirSync(dir)
  writeFileSync(join(dir, 'blob'), randomBytes(60 << 20))
  writeFileSync(join(dir, 'Dockerfile'), 'FROM scratch\nCOPY blob /blob\nENTRYPOINT ["/blob"]\n')
  return dir
}

function run(args: readonly string[]): void {
  const { status, stderr } = spawnSync('buildah', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return round(performance.now() - started)
}

function timedNow(work: () => void): number {
  const started = performance.now()
  work()
  return round(performance.now() - started)
}

function round(value: number): number {
  return Number(value.toPrecision(3))
}
