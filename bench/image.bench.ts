import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { lineOf, openProcesses } from './processes.ts'

/**
 * Image pushed -> scanned -> chosen -> committed -> fetched -> applied, by stage, on a real API server; a script asks at every stage, as the measured peer was.
 * Needs `npm run build`, git, kubectl, docker-registry, the built control plane and the stopwatch of the tools folder. Prints seconds.
 */
const peers = process.env['SLUICE_PEERS'] ?? join(homedir(), '.cache/sluice/peers')
const tools = resolve(process.env['SLUICE_TOOLS'] ?? '../shared/tools', 'bench-gitops')
const plane = join(peers, 'kube-control-plane')
const base = 27500
const { start, stop } = openProcesses()

if (existsSync(plane) && existsSync(tools)) await main()
else console.log(JSON.stringify({ name: 'image pushed to applied', skipped: `needs ${plane} and ${tools}` }))

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-image-'))
  try {
    await measure(folder)
  } finally {
    await stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measure(folder: string): Promise<void> {
  const at = (n: number): string => `127.0.0.1:${base + n}`
  const up = start(plane, ['up', '--dir', join(folder, 'plane'), '--port', String(base)], { KCP_STDIN: 'ignore' })
  const { kubeconfig } = JSON.parse(await lineOf(up, /"kubeconfig"/)) as { kubeconfig: string }
  mkdirSync(join(folder, 'repos'))
  start('node', [join(tools, 'gitserver.mjs'), String(base + 1), join(folder, 'repos')])
  const config = join(folder, 'registry.yml')
  writeFileSync(config, `version: 0.1\nlog: {level: error}\nstorage: {inmemory: {}}\nhttp: {addr: ${at(2)}}\n`)
  start('docker-registry', ['serve', config])
  const engine = start('node', [
    'dist/sluice.mjs',
    'engine',
    '--kubeconfig',
    kubeconfig,
    '--state',
    join(folder, 'engine'),
    '--artifact-listen',
    at(4),
    '--receiver-listen',
    at(5),
  ])
  await lineOf(engine, /"artifacts"/)
  const words = [
    '--kubeconfig',
    kubeconfig,
    '--git-url',
    `http://${at(1)}`,
    '--git-dir',
    join(folder, 'repos'),
    '--registry',
    at(2),
    '--work',
    folder,
  ]
  const watch = start('node', [
    join(tools, 'bench-image.mjs'),
    ...words,
    '--mode',
    'fast',
    '--samples',
    '5',
    '--engine',
    'sluice',
  ])
  const result = JSON.parse(await lineOf(watch, /"scanned"/)) as Record<
    string,
    { min: number; median: number; max: number }
  >
  for (const stage of ['scanned', 'policy', 'committed', 'source', 'applied', 'ready'])
    console.log(
      JSON.stringify({
        name: `image pushed to ${stage}, real API server`,
        value: result[stage]?.median,
        min: result[stage]?.min,
        max: result[stage]?.max,
        unit: 's',
      }),
    )
}
