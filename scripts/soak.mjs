// `npm run soak [-- NAME…]`: the long proofs (tests/soak/*.soak.ts), one process each; too long for every change. Results go to tests/soak/results.json.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureBuild, ensureDependencies } from './setup.mjs'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'tests', 'soak')
const wanted = process.argv.slice(2)
const file = join(folder, 'results.json')

ensureDependencies()
await ensureBuild()
const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
const names = existsSync(folder)
  ? readdirSync(folder)
      .filter((name) => name.endsWith('.soak.ts'))
      .sort()
  : []
for (const name of names) {
  if (wanted.length > 0 && !wanted.some((word) => name.includes(word))) continue
  const run = spawnSync(process.execPath, ['--import', 'tsx', join('tests', 'soak', name)], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  process.stdout.write(run.stdout)
  const values = run.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
  results[name.replace('.soak.ts', '')] = { date: new Date().toISOString().slice(0, 10), ok: run.status === 0, values }
  if (run.status !== 0) process.exitCode = 1
}
writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`)
