// `npm test`: all set-up, then every test that needs nothing but Node and git, and what is at hand besides.
// Unit tests (src/**/*.test.ts) are bundled once and run in one process; each file of tests/ runs in a process of its own.
//   --only unit|whole     one half
//   --match TEXT          only files whose path contains TEXT
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { checkNode, ensureBuild, ensureDependencies } from './setup.mjs'

const root = join(import.meta.dirname, '..')
const out = join(root, '.build', 'test')

/** Tests that measure what a loaded machine would spoil. */
const ALONE = /journeys|node-linux|workloads/
const MOST_MS = 20 * 60_000
const { values } = parseArgs({ options: { only: { type: 'string' }, match: { type: 'string', default: '' } } })

checkNode()
ensureDependencies()
if (values.only !== 'unit') await ensureBuild()

const unit = values.only === 'whole' ? [] : testFiles('src')
const whole = values.only === 'unit' ? [] : testFiles('tests')
await bundle([...unit, ...whole])

const totals = { pass: 0, fail: 0, skipped: 0 }
if (unit.length > 0) {
  const entry = join(out, 'unit.mjs')
  writeFileSync(entry, unit.map((file) => `await import(${JSON.stringify(`./${built(file)}`)})`).join('\n'))
  await run(entry, 'unit')
}
const alone = whole.filter((file) => ALONE.test(file))
await inPool(
  whole.filter((file) => !ALONE.test(file)),
  2,
)
await inPool(alone, 1)

console.log(`${totals.pass} passed, ${totals.fail} failed, ${totals.skipped} skipped`)
process.exit(totals.fail > 0 || totals.pass === 0 ? 1 : 0)

function testFiles(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((file) => file.includes(values.match))
    .sort()
}

function built(file) {
  return file.replace(/\.ts$/, '.mjs')
}

async function bundle(files) {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  const esbuild = await import('esbuild')
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: files.map((file) => ({ in: file, out: file.replace(/\.ts$/, '') })),
    outdir: out,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: ['libsql', 'typescript', 'esbuild', 'kustomize'],
    loader: { '.gz': 'binary', '.html': 'text', '.css': 'text' },
    banner: {
      js: "import{createRequire as __sluiceRequire}from'node:module';const require=__sluiceRequire(import.meta.url);",
    },
    sourcemap: 'inline',
    logLevel: 'error',
  })
}

async function inPool(files, size) {
  const waiting = [...files]
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) await run(join(out, built(file)), file)
  }
  await Promise.all(Array.from({ length: size }, work))
}

async function run(entry, label) {
  const started = Date.now()
  const { status, text, errors } = await finished(entry)
  const count = (name) => Number(text.match(new RegExp(`^ℹ ${name} (\\d+)$`, 'm'))?.[1] ?? 0)
  const fail = Math.max(count('fail') + count('cancelled'), status === 0 ? 0 : 1)
  totals.pass += count('pass')
  totals.fail += fail
  totals.skipped += count('skipped')
  const seconds = ((Date.now() - started) / 1000).toFixed(1)
  console.log(`${label}: ${count('pass')} passed, ${fail} failed, ${count('skipped')} skipped (${seconds} s)`)
  for (const line of text.split('\n')) if (/# SKIP|﹣/.test(line)) console.log(`  ${line.trim()}`)
  if (fail === 0) return
  console.log(text.includes('✖ failing tests:') ? text.slice(text.indexOf('✖ failing tests:')) : text.slice(-20_000))
  console.log(errors.slice(-20_000))
}

function finished(entry) {
  const argv = ['--enable-source-maps', '--test-reporter=spec', '--test-reporter-destination=stdout', entry]
  const child = spawn(process.execPath, argv, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: 'test' },
  })
  const over = setTimeout(() => child.kill('SIGKILL'), MOST_MS)
  let text = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (chunk) => (text += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk) => (errors += chunk))
  return new Promise((resolve) =>
    child.on('close', (status) => {
      clearTimeout(over)
      resolve({ status, text, errors })
    }),
  )
}
