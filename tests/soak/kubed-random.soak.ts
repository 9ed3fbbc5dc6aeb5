// Thousands of random requests: to kubed and the real API server alike, which must end in the same objects, and to each of them for its invariants.
// SLUICE_SEQUENCES (1000 a kind, of two kinds), SLUICE_SEED.
import { spawnSync } from 'node:child_process'

const sequences = process.env.SLUICE_SEQUENCES ?? '1000'
const seed = process.env.SLUICE_SEED ?? String(Date.now() % 100_000)
for (const [file, count] of [
  ['tests/kube/differential.test.ts', sequences],
  ['tests/kube/suite.test.ts', String(Math.ceil(Number(sequences) / 5))],
] as const) {
  const { status, stdout } = spawnSync(process.execPath, ['--import', 'tsx', '--test', file], {
    encoding: 'utf8',
    env: { ...process.env, SLUICE_SEQUENCES: count, SLUICE_SEED: seed },
  })
  const number = (name: string): number => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(stdout)?.[1] ?? 0)
  console.log(
    JSON.stringify({
      file,
      seed,
      sequencesPerKind: Number(count),
      pass: number('pass'),
      fail: number('fail'),
      skipped: number('skipped'),
    }),
  )
  if (status === 0) continue
  process.stderr.write(stdout.slice(-4000))
  process.exitCode = 1
}
