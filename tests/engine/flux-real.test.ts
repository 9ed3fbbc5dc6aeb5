import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { peerTool } from '../lib/peer.ts'
import {
  apply,
  configMap,
  eventually,
  inWorld,
  kustomization,
  NS,
  startKubed,
  type World,
} from '../support/engine-world.ts'
import { LONG_MS, PATIENCE_MS } from '../support/wait.ts'

// The real `flux` command against our API server and our engine: what it reads is what we wrote, what it writes is obeyed.
const flux = peerTool('flux')
/** Runs one command line, words parted by blanks; answers what it says. */
type Flux = (line: string) => Promise<string>

test(
  'the real flux command',
  { skip: flux === undefined ? 'no flux at hand (SLUICE_PEERS)' : false, timeout: LONG_MS },
  (t) =>
    inWorld(startKubed, 'safe', async (world) => {
      const run = promisify(execFile)
      const call: Flux = async (line) => {
        const { stdout, stderr } = await run(
          flux ?? '',
          ['--kubeconfig', world.kubeconfig, '-n', NS, ...line.split(' ')],
          {
            encoding: 'utf8',
            timeout: PATIENCE_MS,
          },
        )
        return stdout + stderr
      }
      const commit = await world.push(
        {
          'app/a.yaml': configMap('a', '1'),
          'app/b.yaml': configMap('b', '${letter}'),
          'made/c.yaml': configMap('c', '1'),
        },
        'first',
      )
      await t.test('create', () => create(call, world, commit))
      await t.test('get', () => get(call, commit))
      await t.test('reconcile --with-source', () => reconcile(call, world))
      await t.test('suspend and resume', () => suspendAndResume(call))
      await t.test('tree, trace, events, stats, logs', () => look(call, commit))
      await t.test('export', () => exported(call))
      await t.test('debug', () => debug(call))
      await t.test('build and diff', () => buildAndDiff(call))
      await t.test('every other kind: create, get, export, suspend, resume, reconcile, delete', () => others(call))
      await t.test('delete', () => deleted(call, world))
    }),
)

async function create(flux: Flux, world: World, commit: string): Promise<void> {
  await flux(`create source git app --url ${world.url} --branch main --interval 1h`)
  await apply(world.client, kustomization('app', './app', { postBuild: { substitute: { letter: 'b' } } }))
  await world.ready('app', commit)
  const made =
    'create kustomization made --source GitRepository/app --path ./made --interval 1h --prune --target-namespace apps'
  const said = await flux(`${made} --health-check-timeout 1m`)
  assert.match(said, /applied revision main@sha1:/)
}

async function get(flux: Flux, commit: string): Promise<void> {
  const short = `main@sha1:${commit.slice(0, 8)}`
  assert.match(await flux('get sources git'), new RegExp(`^app\\s+${short}\\s+False\\s+True\\s+stored artifact`, 'm'))
  assert.match(
    await flux('get kustomizations'),
    new RegExp(`^app\\s+${short}\\s+False\\s+True\\s+Applied revision: ${short}`, 'm'),
  )
  assert.match(await flux('get all'), /^kustomization\/app\s/m)
  assert.match(await flux('get kustomizations --status-selector ready=true'), /^app\s/m)
}

async function reconcile(flux: Flux, world: World): Promise<void> {
  const commit = await world.push({ 'app/a.yaml': configMap('a', '2') }, 'second')
  const said = await flux('reconcile kustomization app --with-source')
  assert.match(said, new RegExp(`applied revision main@sha1:${commit}`))
  assert.match(await flux('reconcile source git app'), new RegExp(`fetched revision main@sha1:${commit}`))
}

async function suspendAndResume(flux: Flux): Promise<void> {
  assert.match(await flux('suspend kustomization app'), /kustomization suspended/)
  assert.match(await flux('get kustomizations app'), /^app\s+\S+\s+True\s/m)
  assert.match(await flux('resume kustomization app'), /applied revision main@sha1:/)
  assert.match(await flux('suspend source git app'), /source git suspended/)
  assert.match(await flux('resume source git app'), /fetched revision main@sha1:/)
}

async function look(flux: Flux, _commit: string): Promise<void> {
  assert.match(await flux('tree kustomization app'), /── ConfigMap\/apps\/a/)
  assert.match(await flux('trace configmap a'), /Kustomization:\s+app[\s\S]*GitRepository:\s+app[\s\S]*Status:\s+/)
  assert.match(await flux('events --for Kustomization/app'), /ReconciliationSucceeded\s+Kustomization\/app/)
  assert.match(await flux('stats'), /Kustomization\s+2\s+0\s+0/)
}

async function exported(flux: Flux): Promise<void> {
  const text = await flux('export kustomization app')
  assert.match(text, /^kind: Kustomization$/m)
  assert.doesNotMatch(text, /^status:|uid:/m)
  assert.match(await flux('export source git --all'), /^kind: GitRepository$/m)
}

async function debug(flux: Flux): Promise<void> {
  assert.match(await flux('debug kustomization app --show-vars'), /letter=b/)
  assert.match(await flux('debug kustomization app --show-status'), /inventory:/)
  assert.match(await flux('debug kustomization app --show-history'), /totalReconciliations:/)
}

async function buildAndDiff(flux: Flux): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-flux-real-'))
  mkdirSync(join(dir, 'app'))
  try {
    writeFileSync(join(dir, 'app/a.yaml'), configMap('a', '3'))
    writeFileSync(join(dir, 'app/b.yaml'), configMap('b', '${letter}'))
    const folder = `kustomization app --path ${join(dir, 'app')}`
    assert.match(
      await flux(`build ${folder}`),
      /kustomize\.toolkit\.fluxcd\.io\/name: app[\s\S]*v: b|v: b[\s\S]*name: app/,
    )
    const differs: { code?: number; stdout?: string } = await flux(`diff ${folder} --progress-bar=false`).then(
      (stdout) => ({ code: 0, stdout }),
      (error: { code: number; stdout: string }) => error,
    )
    assert.equal(differs.code, 1)
    assert.match(differs.stdout ?? '', /► ConfigMap\/apps\/a drifted[\s\S]*- 2[\s\S]*\+ 3/)
    assert.doesNotMatch(differs.stdout ?? '', /ConfigMap\/apps\/b/)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Kinds whose sources are not there: what matters is that flux can make, read, stop and take away each, and is told why it is not ready. */
async function others(flux: Flux): Promise<void> {
  const kinds: [kind: string, flags: string, row: RegExp][] = [
    ['source oci', '--url oci://127.0.0.1:1/none --tag x', /^ocirepository\S+\s+False\s+False\s+failed to determine/m],
    [
      'source bucket',
      '--bucket-name b --endpoint 127.0.0.1:1 --insecure --secret-ref none',
      /^bucket\S+\s+False\s+False\s+/m,
    ],
    ['image repository', '--image 127.0.0.1:1/none --interval 1h', /^imagerepository\S+\s+False\s+False\s+/m],
    ['image policy', '--image-ref other --select-semver 1.x', /^imagepolicy\S+\s+(False|Unknown)\s+/m],
    [
      'image update',
      '--git-repo-ref app --git-repo-path ./app --checkout-branch main --author-name n --author-email a@b',
      /^imageupdateautomation\S+\s.*(True|False)\s+/m,
    ],
    ['alert-provider', '--type slack --address http://127.0.0.1:1 --channel c', /^provider\S+\s+True\s+Provider is/m],
    ['alert', '--provider-ref other --event-source Kustomization/*', /^alert\S+\s+False\s+True\s+Alert is Ready/m],
    ['receiver', '--type github --secret-ref none --resource GitRepository/app', /^receiver\S+\s+False\s+False\s+/m],
  ]
  let shown = ''
  const missing = () => kinds.filter(([, , row]) => !row.test(shown))
  const isAll = async (): Promise<boolean> => {
    // Most of these never become ready: flux writes the object, and is not left to wait for it; on a busy machine it may not come to write it.
    for (const [kind, flags] of missing())
      await flux(`create ${kind} other ${flags} --timeout 1s`).catch(() => undefined)
    shown = await flux('get all')
    return missing().length === 0
  }
  await eventually(isAll, () => `${missing().join('\n')}: ${shown}`)
  for (const kind of ['source oci', 'image update', 'receiver', 'alert'])
    assert.match(await flux(`suspend ${kind} other`), / suspended$/m, kind)
  assert.match(await flux('resume alert other'), /Alert reconciliation completed/)
  assert.match(await flux('export receiver other'), /^ {2}name: other$/m)
  for (const [kind] of kinds.toReversed()) assert.match(await flux(`delete ${kind} other --silent`), / deleted$/m, kind)
}

async function deleted(flux: Flux, { client }: World): Promise<void> {
  await flux('delete kustomization made --silent')
  await flux('delete kustomization app --silent')
  await flux('delete source git app --silent')
  const left = await client.list({ apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository', namespace: NS })
  assert.deepEqual(
    left.items.filter(({ metadata }) => metadata.deletionTimestamp === undefined),
    [],
  )
}
