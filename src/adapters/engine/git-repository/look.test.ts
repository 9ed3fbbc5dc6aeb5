import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { parseGitRepository } from '../../../kinds/git-repository.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Mirror } from '../../git/mirror.ts'
import { type ArtifactStore, openArtifactStore } from '../artifact-store.ts'
import type { EngineContext } from '../context.ts'
import { packContent } from '../source/content.ts'
import { storeArtifact } from '../source/store-artifact.ts'
import { createSourceStore, type SourceStore } from '../source-store.ts'
import { lookAtRemote } from './look.ts'
import { abortAfter } from '../../../machine/timers.ts'

// What a GitRepository offers after a restart, when its mirror is gone and its remote is dead.
const folder = mkdtempSync(join(tmpdir(), 'sluice-git-look-'))
let artifacts: ArtifactStore
let sources: SourceStore
before(async () => (artifacts = await openArtifactStore(folder, '127.0.0.1:0')))
beforeEach(() => (sources = createSourceStore()))
after(async () => {
  await artifacts.close()
  rmSync(folder, { recursive: true, force: true })
})

const REVISION = `main@sha1:${'1'.repeat(40)}`
const clock = { nowMs: () => 0, monotonicMs: () => 0, after: () => () => undefined }
const tools = { mirrorOf: () => ({ has: async () => false }) as unknown as Mirror, loginFolder: folder }
const FILE = { path: 'a.yaml', hash: 'a', isExecutable: false }

/** A repository whose remote refuses every connection, with an artifact that was stored before. */
async function restarted(observed: object): Promise<{ context: EngineContext; object: KubeObject; path: string }> {
  const context = {
    ...{ artifacts, clock, sources, traps: 'safe', within: abortAfter },
    log: () => undefined,
  } as unknown as EngineContext
  const bytes = await packContent({ files: new Map([['a.yaml', FILE]]), read: async () => Buffer.from('a: 1') })
  const metadata = { name: 'app', namespace: 'ns' }
  const object = {
    ...{ apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository', metadata },
    spec: { url: 'http://127.0.0.1:1/app.git', interval: '1m', ref: { branch: 'main' } },
  }
  const draft = { revision: REVISION, file: 'a.tar.gz', bytes }
  const artifact = await storeArtifact(context, parseGitRepository(object), draft)
  return { context, object: { ...object, status: { artifact, ...observed } }, path: artifact.path }
}

for (const [it, observed] of [
  ['its stored artifact', {}],
  ['the same though other repositories gave to it', { observedRecurseSubmodules: true }],
] as const)
  test(`a GitRepository with a dead remote and no mirror offers ${it}`, async () => {
    const { context, object } = await restarted(observed)
    const outcome = await lookAtRemote(context, tools, parseGitRepository(object))
    const offered = sources.get('GitRepository', 'ns', 'app')
    const [file] = [...(offered?.files.values() ?? [])]
    assert.equal(outcome.kind, 'failed')
    assert.deepEqual([offered?.revision, file && (await offered?.read(file))?.toString()], [REVISION, 'a: 1'])
  })

test('a stored artifact that is not whole any more is not offered, and goes', async () => {
  const { context, object, path } = await restarted({})
  writeFileSync(join(folder, path), 'cut')
  await lookAtRemote(context, tools, parseGitRepository(object))
  assert.deepEqual([sources.get('GitRepository', 'ns', 'app'), artifacts.has(path)], [undefined, false])
})

test('a stored artifact that cannot be read is not offered, and the status tells of the remote', async () => {
  const { context, object, path } = await restarted({})
  rmSync(join(folder, path))
  mkdirSync(join(folder, path))
  const outcome = await lookAtRemote(context, tools, parseGitRepository(object))
  assert.deepEqual([outcome.kind, sources.get('GitRepository', 'ns', 'app')], ['failed', undefined])
  rmSync(join(folder, path), { recursive: true })
})

test('what waits for an include is not offered before its remote was asked: a newer one may be applied already', async () => {
  const { context, object } = await restarted({})
  const include = [{ repository: { name: 'other' } }]
  const waiting = { ...object, spec: { ...(object['spec'] as object), include } } as KubeObject
  const caches = { open: () => ({ get: () => undefined, close: () => undefined }) }
  const outcome = await lookAtRemote({ ...context, caches } as never, tools, parseGitRepository(waiting))
  assert.equal(outcome.kind === 'failed' && outcome.condition, 'IncludeUnavailable')
  assert.equal(sources.get('GitRepository', 'ns', 'app'), undefined)
})
