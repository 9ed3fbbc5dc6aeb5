// The faults of tests/engine/faults.test.ts with an API server that is gone for a whole minute: nothing lost, nothing applied twice. SLUICE_OUTAGE_MS (60000).
import { spawnSync } from 'node:child_process'

const outageMs = process.env['SLUICE_OUTAGE_MS'] ?? '60000'
const { status, stdout } = spawnSync(process.execPath, ['--import', 'tsx', '--test', 'tests/engine/faults.test.ts'], {
  encoding: 'utf8',
  env: { ...process.env, SLUICE_OUTAGE_MS: outageMs },
})
const number = (name: string): number => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(stdout)?.[1] ?? 0)
console.log(
  JSON.stringify({
    outageMs: Number(outageMs),
    pass: number('pass'),
    fail: number('fail'),
    skipped: number('skipped'),
  }),
)
if (status !== 0) process.stderr.write(stdout.slice(-4000))
process.exitCode = status ?? 1
