import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { ownPorts } from '../support/own-ports.ts'

// What real Flux answered, scenario by scenario, asked of `sluice engine` on the real control plane. The scenarios of Kustomizations take
// longer: `SLUICE_FLUX_LIVE=ks- npm test -- --match flux-live`.
const conformance = process.env.SLUICE_CONFORMANCE ?? '../shared/conformance'
const program = join(conformance, 'flux-live', 'run.mjs')
const plane = join(process.env.SLUICE_PEERS ?? join(homedir(), '.cache/sluice/peers'), 'kube-control-plane')
const groups = process.env.SLUICE_FLUX_LIVE ?? 'gr-,img-,iua-,nt-,rc-'
const misses = JSON.parse(readFileSync('tests/fixtures/flux-live-misses.json', 'utf8')) as Record<string, string>

/** Control plane, Git server, two registries, two listeners of the engine, what takes its notifications. */
const PORTS = 7

const skip = !existsSync(program)
  ? `no recordings at ${program}`
  : !existsSync(plane)
    ? `no control plane at ${plane}`
    : spawnSync('docker-registry', ['--version']).status !== 0
      ? 'no docker-registry on the PATH'
      : false

test(
  `scenarios ${groups} are answered as Flux answers them, but for the named misses`,
  { skip, timeout: 900_000 },
  async () => {
    const base = await ownPorts(PORTS)
    const first = run(base, groups, 12)
    const unnamed = first.failed.filter((name) => misses[name] === undefined)
    assert.ok(first.passed > 0, `nothing ran:\n${first.stderr.slice(-4000)}`)
    if (unnamed.length === 0) return
    // Some scenarios apply an object before what it names, and see which of the two the controller meets: they are asked once more, alone.
    const again = run(base, unnamed.join(','), 1)
    assert.ok(again.passed + again.failed.length >= unnamed.length, `not all ran again:\n${again.stderr.slice(-4000)}`)
    assert.deepEqual(again.failed, [], again.told)
  },
)

function run(
  base: number,
  only: string,
  parallel: number,
): { passed: number; failed: string[]; told: string; stderr: string } {
  const engine = `${process.execPath} ${resolve('dist/sluice.mjs')} engine --kubeconfig {kubeconfig} --state {dir} --artifact-listen {artifacts} --receiver-listen {receiver} --traps flux`
  const argv = ['--control-plane', plane, '--port-base', String(base), '--parallel', String(parallel), '--only', only]
  const { stdout, stderr } = spawnSync(process.execPath, [program, ...argv, '--engine', engine], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  const lines = stdout.split('\n')
  const failed = lines.flatMap((line) => /^FAIL\s+(\S+)/.exec(line)?.[1] ?? [])
  const passed = lines.filter((line) => line.startsWith('ok ')).length
  const told = lines.filter((line) => !line.startsWith('ok ')).join('\n')
  return { passed, failed, told: told.slice(-12_000), stderr }
}
