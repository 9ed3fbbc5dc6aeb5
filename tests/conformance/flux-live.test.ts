import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { ownPorts } from '../support/own-ports.ts'

// What real Flux answered, scenario by scenario, asked of `sluice engine`. The scenarios of Kustomizations take longer:
// `SLUICE_FLUX_LIVE=ks- npm test -- --match flux-live`; SLUICE_FLUX_LIVE_KUBED says likewise which are asked with kubed in place of the real control plane.
const conformance = process.env.SLUICE_CONFORMANCE ?? '../shared/conformance'
const program = join(conformance, 'flux-live', 'run.mjs')
const plane = join(process.env.SLUICE_PEERS ?? join(homedir(), '.cache/sluice/peers'), 'kube-control-plane')
const kubed = 'tests/support/kubed-plane.mjs'
const groups = process.env.SLUICE_FLUX_LIVE ?? 'gr-,img-,iua-,nt-,rc-'
/** Where the API server has most to say: dry-runs, owners of fields, rights, definitions. */
const ofKubed =
  process.env.SLUICE_FLUX_LIVE_KUBED ?? 'ks-immutable,ks-crd-and-cr,ks-drift-edited,ks-sa-forbidden,iua-first'
const misses = JSON.parse(readFileSync('tests/fixtures/flux-live-misses.json', 'utf8')) as Record<string, string>

const missing = !existsSync(program)
  ? `no recordings at ${program}`
  : spawnSync('docker-registry', ['--version']).status !== 0
    ? 'no docker-registry on the PATH'
    : false

test(
  `scenarios ${groups} are answered as Flux answers them, but for the named misses`,
  { skip: missing || (existsSync(plane) ? false : `no control plane at ${plane}`), timeout: 900_000 },
  () => answersAsFlux(plane, groups),
)

test(
  `scenarios ${ofKubed} are answered as Flux answers them on the real control plane, with kubed in its place`,
  { skip: missing, timeout: 900_000 },
  () => answersAsFlux(kubed, ofKubed),
)

async function answersAsFlux(apiServer: string, only: string): Promise<void> {
  const first = await run(apiServer, only, 12)
  const unnamed = first.failed.filter((name) => misses[name] === undefined)
  assert.ok(first.passed > 0, `nothing ran:\n${first.stderr.slice(-4000)}`)
  if (unnamed.length === 0) return
  // Some scenarios apply an object before what it names, and see which of the two the controller meets: they are asked once more, alone.
  const again = await run(apiServer, unnamed.join(','), 1)
  assert.ok(again.passed + again.failed.length >= unnamed.length, `not all ran again:\n${again.stderr.slice(-4000)}`)
  assert.deepEqual(again.failed, [], again.told)
}

/** How many ports in a row the program takes. */
const PORTS = 8

async function run(
  apiServer: string,
  only: string,
  parallel: number,
): Promise<{ passed: number; failed: string[]; told: string; stderr: string }> {
  const engine = `${process.execPath} ${resolve('dist/sluice.mjs')} engine --kubeconfig {kubeconfig} --state {dir} --artifact-listen {artifacts} --receiver-listen {receiver} --traps flux`
  const argv = [
    '--control-plane',
    apiServer,
    '--port-base',
    String(await ownPorts(PORTS)),
    '--parallel',
    String(parallel),
  ]
  const { stdout, stderr } = spawnSync(process.execPath, [program, ...argv, '--only', only, '--engine', engine], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  const lines = stdout.split('\n')
  const failed = lines.flatMap((line) => /^FAIL\s+(\S+)/.exec(line)?.[1] ?? [])
  const passed = lines.filter((line) => line.startsWith('ok ')).length
  const told = lines.filter((line) => !line.startsWith('ok ')).join('\n')
  return { passed, failed, told: told.slice(-12_000), stderr }
}
