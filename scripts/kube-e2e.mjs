// Runs the official Kubernetes conformance suite on kubed, and writes how it went. The suite is built by ../shared/tools/kube-e2e/prepare.sh into the peers' folder.
// usage: node scripts/kube-e2e.mjs [--node linux|sim] [--focus REGEX | --list FILE] [--procs N] [--minutes N] [--fresh]
//   Results of earlier runs are kept in docs/compat/kube-e2e.json unless --fresh; docs/compat/kube-e2e.md is made from it. Exit code 1 when a spec failed.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { pushImages } from './kube-e2e-images.mjs'
import { RESULTS, writePage } from './kube-e2e-page.mjs'

const { values } = parseArgs({
  options: {
    node: { type: 'string', default: 'linux' },
    focus: { type: 'string', default: '\\[Conformance\\]' },
    list: { type: 'string' },
    procs: { type: 'string', default: '4' },
    minutes: { type: 'string', default: '60' },
    fresh: { type: 'boolean', default: false },
  },
})
const bin = join(process.env.SLUICE_PEERS ?? join(homedir(), '.cache/sluice/peers'), 'kube-e2e')
for (const tool of ['e2e.test', 'ginkgo', 'agnhost'])
  if (!existsSync(join(bin, tool)))
    fail(`${join(bin, tool)} is not there: build it with ../shared/tools/kube-e2e/prepare.sh ${bin}`)
const TOOLS = { curl: '/usr/bin/curl', nc: '/bin/nc.openbsd', dig: '/usr/bin/dig', getent: '/usr/bin/getent' }
for (const program of ['/bin/busybox', '/bin/bash-static', ...Object.values(TOOLS)])
  if (values.node === 'linux' && !existsSync(program))
    fail(`${program} is not there: apt-get install busybox-static bash-static curl netcat-openbsd bind9-dnsutils`)

const work = mkdtempSync(join(tmpdir(), 'kube-e2e-'))
const running = []
try {
  const kubed = await serve('kubed', '--node', values.node)
  const env = { ...process.env, KUBECONFIG: kubed.kubeconfig }
  if (values.node === 'linux') {
    const registry = await serve('registryd')
    const images = { agnhost: stripped(), busybox: '/bin/busybox', bash: '/bin/bash-static', tools: TOOLS }
    env.KUBE_TEST_REPO_LIST = join(work, 'repositories.yaml')
    writeFileSync(env.KUBE_TEST_REPO_LIST, await pushImages(registry.url, images))
  }
  const seen = await runSuite(env, values.list === undefined ? values.focus : namesAsRegex(values.list))
  const before = existsSync(RESULTS) && !values.fresh ? JSON.parse(readFileSync(RESULTS, 'utf8')) : {}
  const results = { ...before, ...seen }
  writeFileSync(
    RESULTS,
    `${JSON.stringify(Object.fromEntries(Object.entries(results).sort(([a], [b]) => (a < b ? -1 : 1))), null, 1)}\n`,
  )
  writePage(results)
  const passed = Object.values(seen).filter((state) => state === 'passed').length
  const failed = Object.values(seen).filter((state) => state === 'failed').length
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
} finally {
  for (const child of running.reverse()) await stop(child)
  rmSync(work, { recursive: true, force: true })
}

/** Starts an embedded server on a state folder of its own; answers its first line. */
async function serve(what, ...flags) {
  const argv = ['dist/sluice.mjs', 'serve', what, '--state', join(work, what), '--port', '0', ...flags]
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'ignore'] })
  running.push(child)
  for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line)
  throw new Error(`${what} did not start`)
}

function stop(child) {
  return new Promise((resolve) => {
    child.once('exit', resolve)
    child.kill('SIGTERM')
  })
}

/** The suite's own program without its debug symbols. */
function stripped() {
  const copy = join(work, 'agnhost')
  const { status } = spawnSync('strip', ['-o', copy, join(bin, 'agnhost')])
  return status === 0 ? copy : join(bin, 'agnhost')
}

function namesAsRegex(file) {
  const names = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return `(${names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})`
}

async function runSuite(env, focus) {
  const report = join(work, 'report.json')
  const ginkgo = [
    `--procs=${values.procs}`,
    `--timeout=${values.minutes}m`,
    '--no-color',
    `--focus=${focus}`,
    `--json-report=${report}`,
  ]
  const suite = [
    '--provider=skeleton',
    `--kubeconfig=${env.KUBECONFIG}`,
    '--minStartupPods=0',
    '--allowed-not-ready-nodes=1',
  ]
  const child = spawn(join(bin, 'ginkgo'), [...ginkgo, join(bin, 'e2e.test'), '--', ...suite], { env, stdio: 'ignore' })
  await new Promise((resolve) => child.once('exit', resolve))
  const results = {}
  for (const { SpecReports } of JSON.parse(readFileSync(report, 'utf8')))
    for (const spec of SpecReports ?? []) {
      const name = [...(spec.ContainerHierarchyTexts ?? []), spec.LeafNodeText].join(' ')
      if (spec.LeafNodeType !== 'It' || !name.includes('[Conformance]')) continue
      if (spec.State === 'passed') results[name] = 'passed'
      else if (/failed|timedout|panicked/.test(spec.State) && !/suite timeout/.test(spec.Failure?.Message ?? ''))
        results[name] = failed(name, spec.Failure?.Message ?? '')
    }
  return results
}

/** Says why a spec failed, which the page does not. */
function failed(name, message) {
  console.log(`${name}: ${message.replaceAll(/\s+/g, ' ').slice(0, 1000)}`)
  return 'failed'
}

function fail(why) {
  console.error(`kube-e2e: ${why}`)
  process.exit(2)
}
