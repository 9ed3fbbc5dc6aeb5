// `npm run bench [-- NAME…]`: runs bench/*.bench.ts one after the other and writes bench/results.json, with the machine named, and docs/numbers.md from it.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { numbersDoc } from './numbers-doc.mjs'
import { ensureBuild, ensureDependencies } from './setup.mjs'

const root = join(import.meta.dirname, '..')
const wanted = process.argv.slice(2)
const file = join(root, 'bench', 'results.json')

ensureDependencies()
await ensureBuild()
const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`
for (const name of readdirSync(join(root, 'bench'))
  .filter((entry) => entry.endsWith('.bench.ts'))
  .sort()) {
  if (wanted.length > 0 && !wanted.some((word) => name.includes(word))) continue
  const run = spawnSync(process.execPath, ['--import', 'tsx', join('bench', name)], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = run.stdout.split('\n').filter((line) => line.startsWith('{'))
  console.log(lines.join('\n'))
  if (run.status !== 0) {
    console.error(`${name} failed`)
    process.exitCode = 1
    continue
  }
  results[name.replace('.bench.ts', '')] = {
    date: new Date().toISOString().slice(0, 10),
    machine,
    values: lines.map((line) => JSON.parse(line)),
  }
}
writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`)
writeFileSync(join(root, 'docs', 'numbers.md'), numbersDoc(root))
