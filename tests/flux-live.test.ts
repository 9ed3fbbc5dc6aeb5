import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'

// What real Flux answered, scenario by scenario, asked of `sluice engine` on the real control plane. The scenarios of Kustomizations take
// longer: `SLUICE_FLUX_LIVE=ks- npm test -- --match flux-live`.
const conformance = process.env.SLUICE_CONFORMANCE ?? '../shared/conformance'
const program = join(conformance, 'flux-live', 'run.mjs')
const plane = join(process.env.SLUICE_PEERS ?? join(homedir(), '.cache/sluice/peers'), 'kube-control-plane')
const groups = process.env.SLUICE_FLUX_LIVE ?? 'gr-,img-,iua-,nt-,rc-'
const misses = JSON.parse(readFileSync('tests/fixtures/flux-live-misses.json', 'utf8')) as Record<string, string>

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
  () => {
    const engine = `${process.execPath} ${resolve('dist/sluice.mjs')} engine --kubeconfig {kubeconfig} --state {dir} --artifact-listen {artifacts} --receiver-listen {receiver} --traps flux`
    const argv = [
      program,
      '--control-plane',
      plane,
      '--port-base',
      '27600',
      '--parallel',
      '12',
      '--only',
      groups,
      '--engine',
      engine,
    ]
    const { stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', maxBuffer: 1 << 28 })
    const failed = [...stdout.matchAll(/^FAIL\s+(\S+)/gm)].map(([, name = '']) => name)
    const passed = [...stdout.matchAll(/^ok\s+(\S+)/gm)].map(([, name = '']) => name)
    const unnamed = failed.filter((name) => misses[name] === undefined)
    assert.ok(passed.length > 0, `nothing ran:\n${stderr.slice(-4000)}`)
    assert.deepEqual(
      unnamed,
      [],
      stdout
        .split('\n')
        .filter((line) => !line.startsWith('ok '))
        .join('\n')
        .slice(-12_000),
    )
  },
)
