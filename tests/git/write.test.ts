import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { refspecTargets } from '../../src/adapters/engine/image/refspec-targets.ts'
import { commitAndPush, pushCommit } from '../../src/adapters/git/commit-and-push.ts'
import { openMirror, type Mirror } from '../../src/adapters/git/mirror.ts'
import { serveGitd, type Gitd } from '../../src/embedded/gitd/serve.ts'
import { abortAfter } from '../../src/machine/timers.ts'

const TOKEN = 's3cret-token'
const temp = mkdtempSync(join(tmpdir(), 'sluice-write-'))
let gitd: Gitd
let mirror: Mirror
let url: string

before(async () => {
  gitd = await serveGitd({ root: join(temp, 'root'), port: 0, token: TOKEN })
  mkdirSync(join(temp, 'folder', 'apps', 'web'), { recursive: true })
  writeFileSync(join(temp, 'folder', 'apps', 'web', 'a.yaml'), 'a: 1\n')
  writeFileSync(join(temp, 'folder', 'b.yaml'), 'b: 1\n')
  await gitd.createRepository('app', { fromFolder: join(temp, 'folder') })
  url = gitd.urlOf('app')
  mirror = openMirror(join(temp, 'mirrors'), url)
})
after(async () => {
  mirror.close()
  await gitd.close()
  rmSync(temp, { recursive: true, force: true })
})

const ask = (...args: string[]): string =>
  execFileSync('git', ['-C', join(temp, 'root', 'app.git'), ...args], { encoding: 'utf8' }).trim()
const author = { name: 'Flux <x>\n', email: 'flux@example.com', atMs: 1_700_000_000_000 }
const credentials = { username: 'flux', password: TOKEN }

async function base(branch = 'main'): Promise<string> {
  const head = ask('rev-parse', branch)
  await mirror.fetch(url, head, `refs/heads/${branch}`, {})
  return head
}

test('a change becomes a commit on the branch, and a second one on the old base is told that it moved', async () => {
  const head = await base()
  const request = {
    folder: mirror.folder,
    base: head,
    author,
    message: 'Automated image update\n\nbody',
    url,
    credentials,
    branch: 'main',
  }
  const changes = [
    { path: 'apps/web/a.yaml', bytes: Buffer.from('a: 2\n') },
    { path: 'new "file"', bytes: Buffer.from([0, 1, 2]), mode: '100755' as const },
    { path: 'b.yaml' },
  ]
  const result = await commitAndPush({ ...request, changes, expected: head })
  assert.equal(result.kind, 'pushed')
  assert.equal(ask('show', 'main:apps/web/a.yaml'), 'a: 2')
  assert.equal(
    ask('log', '-1', '--format=%an|%ae|%at|%s|%P', 'main'),
    `Flux x|flux@example.com|1700000000|Automated image update|${head}`,
  )
  assert.match(ask('ls-tree', '-z', 'main'), /100755 blob [0-9a-f]+\tnew "file"/)
  const late = await commitAndPush({ ...request, changes: [{ path: 'x', bytes: Buffer.from('x') }], expected: head })
  assert.deepEqual(late, { kind: 'moved' })
})

test('a host that takes no push options is pushed to without them', async () => {
  const head = await base()
  ask('config', 'receive.advertisePushOptions', 'false')
  const to = { folder: mirror.folder, base: head, author, message: 'options', url, credentials, branch: 'main' }
  const changes = [{ path: 'options', bytes: Buffer.from('1') }]
  const result = await commitAndPush({ ...to, changes, expected: head, pushOptions: ['ci.skip=', 'topic=x'] })
  assert.equal(result.kind, 'pushed')
  assert.equal(ask('show', 'main:options'), '1')
})

test('another ref is moved from where it is known to be, and nowhere when it is elsewhere', async () => {
  const head = await base()
  const old = ask('rev-list', '--max-parents=0', 'main')
  ask('branch', 'release', old)
  const alone = { url, credentials, branch: 'topic', expected: undefined }
  const moved = await pushCommit(mirror.folder, head, {
    ...alone,
    alsoRefs: [{ ref: 'refs/heads/release', expected: old }],
  })
  assert.equal(moved.kind, 'pushed')
  assert.equal(ask('rev-parse', 'release'), head)
  ask('branch', '-D', 'topic')
  const late = await pushCommit(mirror.folder, head, {
    ...alone,
    alsoRefs: [{ ref: 'refs/heads/release', expected: old }],
  })
  assert.equal(late.kind, 'pushed') // it is where it should be already
  ask('branch', '-f', 'release', old)
  ask('branch', '-D', 'topic')
  const stale = await pushCommit(mirror.folder, head, {
    ...alone,
    alsoRefs: [{ ref: 'refs/heads/release', expected: head }],
  })
  assert.equal(stale.kind, 'moved')
  assert.equal(ask('rev-parse', 'release'), old)
})

test('refs move together or not at all, one by one only where the host cannot', async () => {
  const head = await base()
  const old = ask('rev-list', '--max-parents=0', 'main')
  ask('branch', '-f', 'release', old)
  ask('branch', '-f', 'topic', old)
  const to = { url, credentials, branch: 'topic', alsoRefs: [{ ref: 'refs/heads/release', expected: old }] }
  const stale = await pushCommit(mirror.folder, head, { ...to, expected: head })
  assert.equal(stale.kind, 'moved')
  assert.equal(ask('rev-parse', 'release'), old)
  ask('config', 'receive.advertiseAtomic', 'false')
  ask('config', 'receive.advertisePushOptions', 'false')
  const pushed = await pushCommit(mirror.folder, head, { ...to, expected: old, pushOptions: ['ci.skip='] })
  assert.equal(pushed.kind, 'pushed')
  assert.deepEqual([ask('rev-parse', 'topic'), ask('rev-parse', 'release')], [head, head])
  ask('config', '--unset', 'receive.advertiseAtomic')
  ask('branch', '-D', 'topic', 'release')
})

test('of refs that move together the message names the one that was refused', async () => {
  const head = await base()
  const far = join(temp, 'far.git')
  const inFar = (...args: string[]): string => execFileSync('git', ['-C', far, ...args], { encoding: 'utf8' }).trim()
  execFileSync('git', ['init', '-q', '--bare', far])
  mkdirSync(join(far, 'hooks'), { recursive: true })
  writeFileSync(join(far, 'hooks', 'update'), '#!/bin/sh\n[ "$1" != refs/heads/b ]\n', { mode: 0o755 })
  inFar('config', 'core.hooksPath', join(far, 'hooks'))
  const to = { url: far, allowLocal: true, branch: 'a', expected: undefined, alsoRefs: [{ ref: 'refs/heads/b' }] }
  const full = join(temp, 'full.git')
  execFileSync('git', ['clone', '-q', '--bare', join(temp, 'root', 'app.git'), full])
  await assert.rejects(pushCommit(full, head, to), { code: 'GIT_PUSH_REFUSED', message: /hook declined/ })
  assert.equal(inFar('for-each-ref'), '')
})

test('whether a ref is only moved on is asked of the history that is pushed, each time', async () => {
  const head = await base()
  const old = ask('rev-list', '--max-parents=0', 'main')
  ask('branch', '-f', 'stable', old)
  ask('branch', '-f', 'auto', head)
  const targets = (at: string) => {
    const refs = ['stable', 'auto'].map((name) => ({
      name: `refs/heads/${name}`,
      commit: ask('rev-parse', `refs/heads/${name}`),
    }))
    const wish = {
      automation: { pushRefspec: 'refs/heads/auto:refs/heads/stable' },
      source: { url, timeoutMs: 60_000 },
      mirror,
      login: { git: { config: [['http.extraHeader', `Authorization: Basic ${btoa(`x:${TOKEN}`)}`]] as const } },
      ref: { branch: 'auto' },
      pushBranch: 'auto',
      within: abortAfter,
    }
    const selected = { fetch: 'refs/heads/auto', commit: at, pointer: 'auto' }
    return refspecTargets(wish, { selected, base: at, expected: at, isBehind: false, refs })
  }
  const forward = [{ ref: 'refs/heads/stable', isForced: false, expected: old }]
  assert.deepEqual(await targets(head), forward)
  const other = ask('-c', 'user.name=T', '-c', 'user.email=t@e', 'commit-tree', '-m', 'rewritten', `${head}^{tree}`)
  // the branch is rewritten: what is there now does not lead to where the ref is
  ask('branch', '-f', 'auto', other)
  await assert.rejects(targets(other), { message: /non-fast-forward update: refs\/heads\/stable/ })
  // and what was seen is not on the branch any more
  await assert.rejects(targets(head), { message: /non-fast-forward update: refs\/heads\/stable/ })
  ask('branch', '-D', 'auto', 'stable')
})

test('a new branch is made when it must not exist, and not taken when it does', async () => {
  const head = await base()
  const request = { folder: mirror.folder, base: head, author, message: 'x', url, credentials, branch: 'flux/updates' }
  const changes = [{ path: 'x', bytes: Buffer.from('x') }]
  assert.equal((await commitAndPush({ ...request, changes, expected: undefined })).kind, 'pushed')
  const more = [{ path: 'x', bytes: Buffer.from('y') }]
  assert.deepEqual(await commitAndPush({ ...request, changes: more, expected: undefined }), { kind: 'moved' })
})

test('a wrong password is an error that does not hold it', async () => {
  const head = await base()
  await assert.rejects(
    pushCommit(mirror.folder, head, { url, credentials: { password: 'wr0ng' }, branch: 'other', expected: undefined }),
    (error: Error & { code?: string }) => error.code === 'GIT_AUTH' && !error.message.includes('wr0ng'),
  )
})

test('paths that leave the repository and names that are options are refused', async () => {
  const head = await base()
  const request = { folder: mirror.folder, base: head, author, message: 'x', url, credentials, expected: head }
  for (const path of ['../x', '.git/config', 'a//b', '/etc/x', 'a/.GIT/x'])
    await assert.rejects(
      commitAndPush({ ...request, branch: 'main', changes: [{ path, bytes: Buffer.from('') }] }),
      { code: 'GIT_PATH_MISSING' },
      path,
    )
  for (const branch of ['../../x', 'a b', 'x:y', 'a..b', 'x.lock'])
    await assert.rejects(pushCommit(mirror.folder, head, { ...request, branch }), { code: 'GIT_PUSH_REFUSED' }, branch)
})

test('credentials do not follow a redirect to another host', async () => {
  const seen: string[] = []
  const thief = createServer((request, response) => {
    seen.push(request.headers.authorization ?? 'none')
    response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
  })
  const door = createServer((request, response) => {
    response
      .writeHead(302, { location: `http://localhost:${(thief.address() as AddressInfo).port}${request.url ?? ''}` })
      .end()
  })
  for (const server of [thief, door]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const head = await base()
  const to = { url: `http://127.0.0.1:${(door.address() as AddressInfo).port}/x.git`, branch: 'main', expected: head }
  for (const login of [credentials, { bearerToken: TOKEN }])
    await assert.rejects(pushCommit(mirror.folder, head, { ...to, credentials: login }))
  for (const server of [thief, door]) server.close()
  assert.deepEqual(new Set(seen), new Set(['none']))
})
