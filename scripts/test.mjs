// `npm test`: all set-up, then every test that needs nothing but Node and git, and what is at hand besides.
// Unit tests (src/**/*.test.ts) are bundled once and run in a few processes, two at a time; then the files of tests/, a process each, three at a time.
// A file of tests/ that fails runs once more at the end, alone; what passes only then is named (ADR 272).
//   --only unit|whole     one half
//   --match TEXT          only files whose path contains TEXT
//   --once                what fails has failed
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { checkNode, ensureBuild, ensureDependencies } from './setup.mjs'

const root = join(import.meta.dirname, '..')
const out = join(root, '.build', 'test')

/** What takes half a minute and more, the longest first: begun first, so that at the end nobody waits for one of them. */
const LONGEST = [
  'journeys/kill-at-fact',
  'conformance/flux-live',
  'journeys/kill.test',
  'journeys/deliver',
  'kubed/workloads.test',
  'journeys/bad-input',
  'journeys/bad-disk',
  'kubed/streams.test',
  'engine/faults',
  'kustomize/differential',
  'agents/node-kubelet',
  'kustomize/helm',
  'engine/traps.test',
  'engine/flux-real',
  'engine/engine.test',
]
/** Files of tests/ run at once: they wait for clocks and for each other's processes a third of the time, so two leave a core idle. */
const AT_ONCE = 3
/** Unit tests wait for nothing. */
const UNIT_AT_ONCE = 2
/** The files of the unit suite are dealt out in turn to so many processes: more would start more often, fewer would wait for the slowest. */
const UNIT_PARTS = 4
const MOST_MS = 20 * 60_000
/** So many files may fail by a bad moment; more have a cause in common. */
const MOST_AGAIN = 2
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    match: { type: 'string', default: '' },
    once: { type: 'boolean', default: false },
  },
})

checkNode()
ensureDependencies()
if (values.only !== 'unit') await ensureBuild()

const unit = values.only === 'whole' ? [] : testFiles('src')
const whole = values.only === 'unit' ? [] : testFiles('tests')
await bundle([...unit, ...whole])

const totals = { pass: 0, fail: 0, skipped: 0 }
if (unit.length > 0) await runUnit(unit)
const failed = []
await inPool(longestFirst(whole), AT_ONCE, async (file) => {
  const ran = await run(join(out, built(file)))
  report(file, ran)
  if (ran.fail > 0) failed.push({ file, ran })
})
const passedAgain = values.once || failed.length > MOST_AGAIN ? [] : await runAgain(failed)

if (passedAgain.length > 0) console.log(`passed only when run again, alone: ${passedAgain.join(', ')}`)
console.log(`${totals.pass} passed, ${totals.fail} failed, ${totals.skipped} skipped`)
process.exit(totals.fail > 0 || totals.pass === 0 ? 1 : 0)

/** Runs each once more; what is counted of a file is how it went then. Answers those that passed. */
async function runAgain(files) {
  const passed = []
  for (const { file, ran } of files) {
    totals.pass -= ran.pass
    totals.fail -= ran.fail
    totals.skipped -= ran.skipped
    const again = await run(join(out, built(file)))
    report(`again, alone: ${file}`, again)
    if (again.fail === 0) passed.push(file)
  }
  return passed
}

function testFiles(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((file) => file.includes(values.match))
    .sort()
}

function longestFirst(files) {
  const place = (file) => {
    const at = LONGEST.findIndex((name) => file.includes(name))
    return at < 0 ? LONGEST.length : at
  }
  return files.toSorted((a, b) => place(a) - place(b))
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

async function runUnit(files) {
  const started = Date.now()
  const parts = Array.from({ length: UNIT_PARTS }, (_, part) => files.filter((_, at) => at % UNIT_PARTS === part))
  const ran = []
  await inPool(
    parts.filter((part) => part.length > 0),
    UNIT_AT_ONCE,
    async (part) => {
      const entry = join(out, `unit-${parts.indexOf(part)}.mjs`)
      // Static imports: a test whose process has nothing else to do starts at once, before the rest of its file is there.
      writeFileSync(entry, part.map((file) => `import ${JSON.stringify(`./${built(file)}`)}`).join('\n'))
      ran.push(await run(entry))
    },
  )
  const sum = (name) => ran.reduce((total, each) => total + each[name], 0)
  report('unit', {
    pass: sum('pass'),
    fail: sum('fail'),
    skipped: sum('skipped'),
    ms: Date.now() - started,
    skips: ran.flatMap(({ skips }) => skips),
    failures: ran.flatMap(({ failures }) => failures),
  })
}

async function inPool(items, size, work) {
  const waiting = [...items]
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: size }, worker))
}

/** Runs one bundled file to its end: how many tests passed, failed and were skipped, and what is to be shown of them. */
async function run(entry) {
  const started = Date.now()
  const { status, text, errors } = await finished(entry)
  const count = (name) => Number(text.match(new RegExp(`^ℹ ${name} (\\d+)$`, 'm'))?.[1] ?? 0)
  const fail = Math.max(count('fail') + count('cancelled'), status === 0 ? 0 : 1)
  const told = text.includes('✖ failing tests:') ? text.slice(text.indexOf('✖ failing tests:')) : text.slice(-20_000)
  return {
    pass: count('pass'),
    fail,
    skipped: count('skipped'),
    ms: Date.now() - started,
    skips: text.split('\n').filter((line) => /# SKIP|﹣/.test(line)),
    failures: fail === 0 ? [] : [told, errors.slice(-20_000)],
  }
}

function report(label, { pass, fail, skipped, ms, skips, failures }) {
  totals.pass += pass
  totals.fail += fail
  totals.skipped += skipped
  console.log(`${label}: ${pass} passed, ${fail} failed, ${skipped} skipped (${(ms / 1000).toFixed(1)} s)`)
  for (const line of skips) console.log(`  ${line.trim()}`)
  for (const text of failures) console.log(text)
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
