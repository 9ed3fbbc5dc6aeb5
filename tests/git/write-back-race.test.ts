import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { systemClock } from '../../src/adapters/clock.ts'
import type { EngineContext } from '../../src/adapters/engine/context.ts'
import { runAutomation } from '../../src/adapters/engine/image/run-automation.ts'
import { commitAndPush } from '../../src/adapters/git/commit-and-push.ts'
import { openMirror, type Mirror } from '../../src/adapters/git/mirror.ts'
import { serveGitd, type Gitd } from '../../src/embedded/gitd/serve.ts'
import { parseGitRepository } from '../../src/kinds/git-repository.ts'
import { parseImagePolicy, parseImageUpdateAutomation } from '../../src/kinds/image.ts'
import type { FactBody } from '../../src/pipeline/record/fact.ts'
import { abortAfter } from '../../src/machine/timers.ts'

const TOKEN = 's3cret-token'
const temp = mkdtempSync(join(tmpdir(), 'sluice-race-'))
let gitd: Gitd
let mirror: Mirror

before(async () => {
  gitd = await serveGitd({ root: join(temp, 'root'), port: 0, token: TOKEN })
  mkdirSync(join(temp, 'folder'))
  writeFileSync(join(temp, 'folder', 'web.yaml'), 'image: web:1.0 # {"$imagepolicy": "ns:web"}\n')
  await gitd.createRepository('app', { fromFolder: join(temp, 'folder') })
  mirror = openMirror(join(temp, 'mirrors'), 'app')
})
after(async () => {
  mirror.close()
  await gitd.close()
  rmSync(temp, { recursive: true, force: true })
})

const ask = (...args: string[]): string =>
  execFileSync('git', ['-C', join(temp, 'root', 'app.git'), ...args], { encoding: 'utf8' }).trim()
const metadata = { name: 'web', namespace: 'ns' }
const API = 'image.toolkit.fluxcd.io/v1'

test('a write-back goes on top of what somebody pushed while it was made', async () => {
  const url = gitd.urlOf('app')
  let rivals = 2
  const told: FactBody[] = []
  const data = { username: btoa('flux'), password: btoa(TOKEN) }
  const context = {
    client: { get: async () => ({ apiVersion: 'v1', kind: 'Secret', metadata, data }) },
    clock: systemClock,
    within: abortAfter,
    traps: 'safe',
    async report(fact: FactBody) {
      told.push(fact)
      if (fact.kind !== 'write-back' || !fact.intended || rivals-- <= 0) return
      const head = ask('rev-parse', 'main')
      const changes = [{ path: `rival-${rivals}`, bytes: Buffer.from('x') }]
      const author = { name: 'ada', email: 'ada@example.com', atMs: 0 }
      const credentials = { username: 'ada', password: TOKEN }
      const commit = { folder: join(temp, 'root', 'app.git'), base: head, changes, author, message: 'rival' }
      await commitAndPush({ ...commit, url, credentials, branch: 'main', expected: head })
    },
  } as unknown as EngineContext
  const outcome = await runAutomation(context, {
    automation: parseImageUpdateAutomation({
      ...{ apiVersion: API, kind: 'ImageUpdateAutomation', metadata },
      spec: {
        ...{ interval: '1m', sourceRef: { kind: 'GitRepository', name: 'app' } },
        git: { commit: { author: { email: 'flux@example.com' } } },
        update: { path: './', strategy: 'Setters' },
      },
    }),
    source: parseGitRepository({
      ...{ apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository', metadata },
      spec: { interval: '1m', url, ref: { branch: 'main' }, secretRef: { name: 'login' } },
    }),
    policies: [
      parseImagePolicy({
        ...{ apiVersion: API, kind: 'ImagePolicy', metadata },
        spec: { imageRepositoryRef: { name: 'web' }, policy: { semver: { range: '*' } } },
        status: { latestRef: { name: 'web', tag: '1.1' } },
      }),
    ],
    mirror,
    loginFolder: temp,
    withoutMarkers: new Set(),
    seen: undefined,
    knownHead: ask('rev-parse', 'main'),
  })
  assert.equal(outcome.kind, 'pushed', JSON.stringify(outcome))
  assert.equal(ask('show', 'main:web.yaml'), 'image: web:1.1 # {"$imagepolicy": "ns:web"}')
  assert.deepEqual(ask('ls-tree', '--name-only', 'main').split('\n'), ['rival-0', 'rival-1', 'web.yaml'])
  const written = told.filter((fact) => fact.kind === 'write-back')
  assert.deepEqual(
    written.map((fact) => fact.intended === true),
    [true, true, true, false],
  )
})
