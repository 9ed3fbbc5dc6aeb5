import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import { serveGitd, type Gitd, type PushEvent } from '../../src/embedded/gitd/serve.ts'

const TOKEN = 'correct-horse'
const ZERO = '0'.repeat(40)
const temp = mkdtempSync(join(tmpdir(), 'sluice-gitd-'))
const events: PushEvent[] = []
let gitd: Gitd

before(async () => {
  gitd = await serveGitd({
    root: join(temp, 'root'),
    port: 0,
    token: TOKEN,
    onPush: (event) => void events.push(event),
  })
  const folder = join(temp, 'folder')
  mkdirSync(join(folder, 'sub'), { recursive: true })
  writeFileSync(join(folder, 'README.md'), 'hello\n')
  writeFileSync(join(folder, '.gitignore'), 'ignored\n')
  writeFileSync(join(folder, 'ignored'), 'x')
  writeFileSync(join(folder, 'sub', 'run.sh'), '#!/bin/sh\n', { mode: 0o755 })
  symlinkSync('README.md', join(folder, 'link'))
  await gitd.createRepository('app', { fromFolder: folder, atMs: 1_700_000_000_000 })
})
after(async () => {
  await gitd.close()
  rmSync(temp, { recursive: true, force: true })
})

type Ran = { readonly code: number; readonly out: string }

function git(cwd: string, ...args: string[]): Promise<Ran> {
  const env = {
    PATH: process.env['PATH'],
    HOME: temp,
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.org',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.org',
  }
  return new Promise((resolve) =>
    execFile('git', args, { cwd, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out: stdout + stderr }),
    ),
  )
}

const withToken = (url: string, user = 'ada'): string => url.replace('http://', `http://${user}:${TOKEN}@`)

let clones = 0
async function clone(name = 'app', ...flags: string[]): Promise<string> {
  const folder = join(temp, `clone-${++clones}`)
  const { code, out } = await git(temp, 'clone', '-q', ...flags, withToken(gitd.urlOf(name)), folder)
  assert.equal(code, 0, out)
  return folder
}

async function commit(folder: string, file: string, content: string | Buffer): Promise<string> {
  writeFileSync(join(folder, file), content)
  await git(folder, 'add', '-A')
  const { code, out } = await git(folder, 'commit', '-q', '-m', `change ${file}`)
  assert.equal(code, 0, out)
  return (await git(folder, 'rev-parse', 'HEAD')).out.trim()
}

test('a folder becomes one commit on main and develop, the same each time', async () => {
  const refs = await git(temp, 'ls-remote', gitd.urlOf('app'))
  assert.match(refs.out, /refs\/heads\/develop/)
  assert.match(refs.out, /HEAD/)
  const folder = await clone()
  const files = (await git(folder, 'ls-files', '-s')).out
  assert.match(files, /120000 .*link/)
  assert.match(files, /100755 .*sub\/run\.sh/)
  assert.doesNotMatch(files, /ignored$/m)
  await gitd.createRepository('again', { fromFolder: join(temp, 'folder'), atMs: 1_700_000_000_000 })
  const line = (out: string): string | undefined => out.split('\n').find((one) => one.endsWith('refs/heads/main'))
  assert.equal(line((await git(temp, 'ls-remote', gitd.urlOf('again'))).out), line(refs.out))
  assert.deepEqual((await gitd.createRepository('again')).created, false)
})

test(
  'a repository of another user can be imported',
  { skip: process.getuid?.() !== 0 && 'only root can give files away' },
  async () => {
    const source = join(temp, 'of-another')
    await git(temp, 'clone', '-q', '--bare', gitd.urlOf('app'), source)
    chownSync(source, 12_345, 12_345)
    await gitd.createRepository('given', { fromRepo: source })
    assert.match((await git(temp, 'ls-remote', gitd.urlOf('given'))).out, /refs\/heads\/develop/)
  },
)

test('a repository becomes a repository with its branches and tags', async () => {
  const source = await clone()
  await git(source, 'tag', 'v1')
  await gitd.createRepository('copy', { fromRepo: source })
  assert.match((await git(temp, 'ls-remote', gitd.urlOf('copy'))).out, /refs\/tags\/v1/)
})

test('a push moves the ref and is told once, with user and commits', async () => {
  const folder = await clone()
  const base = (await git(folder, 'rev-parse', 'HEAD')).out.trim()
  const head = await commit(folder, 'a.txt', 'a')
  events.length = 0
  const pushed = await git(folder, 'push', 'origin', 'HEAD:main', 'HEAD:refs/tags/v9', 'HEAD:refs/heads/feature/x')
  assert.equal(pushed.code, 0, pushed.out)
  assert.deepEqual(
    [...events].sort((a, b) => a.ref.localeCompare(b.ref)),
    [
      { repository: 'app', ref: 'refs/heads/feature/x', before: ZERO, after: head, user: 'ada' },
      { repository: 'app', ref: 'refs/heads/main', before: base, after: head, user: 'ada' },
      { repository: 'app', ref: 'refs/tags/v9', before: ZERO, after: head, user: 'ada' },
    ],
  )
  events.length = 0
  assert.equal((await git(folder, 'push', 'origin', ':feature/x')).code, 0)
  assert.deepEqual(events, [{ repository: 'app', ref: 'refs/heads/feature/x', before: head, after: ZERO, user: 'ada' }])
})

test('a push without or with a wrong token changes nothing', async () => {
  const folder = await clone()
  await commit(folder, 'b.txt', 'b')
  events.length = 0
  assert.notEqual((await git(folder, 'push', gitd.urlOf('app'), 'HEAD:refs/heads/evil')).code, 0)
  const wrong = gitd.urlOf('app').replace('http://', 'http://ada:wrong@')
  const { code, out } = await git(folder, 'push', wrong, 'HEAD:refs/heads/evil')
  assert.notEqual(code, 0)
  assert.match(out, /Authentication failed/)
  assert.deepEqual(events, [])
})

test('versions 0, 1 and 2, shallow and partial clones work', async () => {
  for (const version of ['0', '1', '2']) await clone('app', '-c', `protocol.version=${version}`)
  await clone('app', '--depth=1')
  await clone('app', '--filter=blob:none')
})

test('a large push goes through in chunks, and comes back', async () => {
  const folder = await clone()
  const head = await commit(folder, 'large.bin', randomBytes(20 << 20))
  const pushed = await git(folder, '-c', 'http.postBuffer=1000', 'push', 'origin', 'HEAD:refs/heads/large')
  assert.equal(pushed.code, 0, pushed.out)
  const back = await clone('app', '--branch', 'large')
  assert.equal((await git(back, 'rev-parse', 'HEAD')).out.trim(), head)
})

test('refs/for/main is a pull request: numbered, told, fetchable, main untouched', async () => {
  const folder = await clone()
  const first = await commit(folder, 'p.txt', '1')
  events.length = 0
  const pushed = await git(folder, 'push', 'origin', 'HEAD:refs/for/main')
  assert.equal(pushed.code, 0, pushed.out)
  assert.match(pushed.out, /HEAD -> refs\/for\/main/)
  const second = await commit(folder, 'p.txt', '2')
  assert.equal((await git(folder, 'push', 'origin', 'HEAD:refs/for/main')).code, 0)
  assert.deepEqual(
    events.map(({ ref, pull, after: to }) => ({ ref, pull, to })),
    [
      { ref: 'refs/for/main', pull: 1, to: first },
      { ref: 'refs/for/main', pull: 2, to: second },
    ],
  )
  assert.equal((await git(folder, 'fetch', 'origin', 'refs/for/main/2')).code, 0)
})

test('a number of a pull request after which there soon is none is refused; others may be chosen', async () => {
  const folder = await clone()
  await commit(folder, 'n.txt', '1')
  events.length = 0
  const pushed = await git(folder, 'push', 'origin', 'HEAD:refs/for/main/999999999')
  assert.notEqual(pushed.code, 0)
  assert.match(pushed.out, /no pull request may choose a number above 1000000, push to refs\/for\/main/)
  assert.equal((await git(folder, 'push', 'origin', 'HEAD:refs/for/other/41')).code, 0)
  assert.deepEqual(
    events.map(({ ref, pull }) => [ref, pull]),
    [['refs/for/other', 41]],
  )
})

test('pushes at once: one wins a branch, all win their own, and each event is true', async () => {
  const folders = await Promise.all([1, 2, 3, 4].map(() => clone()))
  const heads = await Promise.all(folders.map((folder, index) => commit(folder, `race-${index}`, 'x')))
  events.length = 0
  const own = await Promise.all(
    folders.map((folder, index) => git(folder, 'push', 'origin', `HEAD:refs/heads/own-${index}`)),
  )
  assert.deepEqual(
    own.map(({ code }) => code),
    [0, 0, 0, 0],
  )
  assert.equal(events.length, 4)
  events.length = 0
  const race = await Promise.all(folders.map((folder) => git(folder, 'push', 'origin', 'HEAD:main')))
  const winners = race.flatMap(({ code }, index) => (code === 0 ? [heads[index]] : []))
  assert.equal(winners.length, 1, JSON.stringify(race))
  assert.deepEqual(
    events.map(({ after: to }) => to),
    winners,
  )
})

type Answer = { readonly status: number; readonly text: string }

function raw(method: string, path: string, body?: Buffer, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ port: gitd.port, method, path, headers }, (response) => {
      let text = ''
      response.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    asked.once('error', reject)
    asked.end(body)
  })
}

test('paths that would leave the root or reach other files are not found', async () => {
  for (const path of [
    '/../etc/info/refs?service=git-upload-pack',
    '/..%2f..%2fetc/info/refs?service=git-upload-pack',
    '/app.git/../../x/info/refs?service=git-upload-pack',
    '/--upload-pack=x/info/refs?service=git-upload-pack',
    '/.sluice/pushes/info/refs?service=git-upload-pack',
    '/app.git/HEAD',
    '/app.git/config',
    '/app.git/objects/info/packs',
    '/app.git/info/refs',
    '/app.git/info/refs?service=git-shell',
    '/nothing.git/info/refs?service=git-upload-pack',
  ])
    assert.equal((await raw('GET', path)).status, 404, path)
})

test('malformed pushes are refused and the server lives on', async () => {
  const headers = {
    authorization: `Basic ${Buffer.from(`x:${TOKEN}`).toString('base64')}`,
    'content-type': 'application/x-git-receive-pack-request',
  }
  const command = `${ZERO} ${'1'.repeat(40)} refs/heads/evil\0report-status side-band-64k`
  const line = (text: string): string => (text.length + 4).toString(16).padStart(4, '0') + text
  const bodies = [
    Buffer.from('zzzz'),
    Buffer.from('0003'),
    Buffer.from(''),
    Buffer.from(line('hello')),
    Buffer.from(`${line('hello')}0000`),
    Buffer.from(`${line(command)}0000`),
    Buffer.concat([Buffer.from(`${line(command)}0000PACK`), randomBytes(200)]),
    Buffer.from(`${line(command.replace('heads/evil', 'heads/../../../../tmp/evil'))}0000`),
  ]
  events.length = 0
  for (const body of bodies) await raw('POST', '/app.git/git-receive-pack', body, headers)
  assert.deepEqual(events, [])
  const bomb = gzipSync(Buffer.alloc(100 << 20))
  await raw('POST', '/app.git/git-upload-pack', bomb, {
    'content-encoding': 'gzip',
    'content-type': 'application/x-git-upload-pack-request',
  }).catch(() => undefined)
  assert.equal((await raw('GET', '/app.git/info/refs?service=git-upload-pack')).status, 200)
})

test('a push of more refs than one may have is refused in words that git shows', async () => {
  const headers = {
    authorization: `Basic ${Buffer.from(`x:${TOKEN}`).toString('base64')}`,
    'content-type': 'application/x-git-receive-pack-request',
  }
  const lines = Array.from({ length: 90_000 }, (_, index) => {
    const text = `${ZERO} ${'1'.repeat(40)} refs/tags/v${index}${index === 0 ? '\0report-status' : ''}`
    return (text.length + 4).toString(16).padStart(4, '0') + text
  })
  const { status, text } = await raw('POST', '/app.git/git-receive-pack', Buffer.from(`${lines.join('')}0000`), headers)
  assert.equal(status, 200)
  assert.match(text.slice(0, 100), /unpack the names of its refs take more than 8 MiB, push them in parts/)
})

test('a push whose packed body breaks off is answered at once', async () => {
  const command = `${ZERO} ${'1'.repeat(40)} refs/heads/broken\0report-status side-band-64k`
  const head = `${(command.length + 4).toString(16).padStart(4, '0')}${command}0000PACK\0\0\0\x02\0\0\0\x01`
  const blobOf300000Bytes = Buffer.concat([Buffer.from([0xb0, 0xbe, 0x92, 0x01]), deflateSync(randomBytes(300_000))])
  const packed = gzipSync(Buffer.concat([Buffer.from(head), blobOf300000Bytes]))
  packed.fill(0xff, 200_000)
  const answered = raw('POST', '/app.git/git-receive-pack', packed, {
    authorization: `Basic ${Buffer.from(`x:${TOKEN}`).toString('base64')}`,
    'content-type': 'application/x-git-receive-pack-request',
    'content-encoding': 'gzip',
  })
  const gaveUp = new Promise<never>((_resolve, reject) => setTimeout(reject, 20_000, new Error('no answer')).unref())
  await Promise.race([answered, gaveUp])
  assert.doesNotMatch((await git(temp, 'ls-remote', gitd.urlOf('app'))).out, /broken/)
})

test('a tree with .git inside is refused', async () => {
  const folder = await clone()
  const blob = (await git(folder, 'hash-object', '-w', 'README.md')).out.trim()
  const tree = await new Promise<string>((resolve) => {
    const child = spawn('git', ['mktree'], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] })
    child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()))
    child.stdin.end(`100644 blob ${blob}\t.GIT\n`)
  })
  const bad = (await git(folder, 'commit-tree', '-m', 'evil', tree)).out.trim()
  const { code, out } = await git(folder, 'push', 'origin', `${bad}:refs/heads/evil`)
  assert.notEqual(code, 0)
  assert.match(out, /hasDotgit/)
})

test('a push with a named token is told in its name, whatever its holder calls himself', async () => {
  const sha256 = createHash('sha256').update('of-ci').digest('hex')
  const told: PushEvent[] = []
  const other = await serveGitd({
    ...{ root: join(temp, 'root'), port: 0, token: TOKEN },
    named: () => [{ name: 'ci', sha256 }],
    onPush: (event) => void told.push(event),
  })
  try {
    const folder = await clone()
    await commit(folder, 'c.txt', 'c')
    const url = other.urlOf('app').replace('http://', 'http://bob:of-ci@')
    const { code, out } = await git(folder, 'push', url, 'HEAD:refs/heads/by-ci')
    assert.equal(code, 0, out)
    assert.deepEqual(
      told.map(({ ref, user }) => ({ ref, user })),
      [{ ref: 'refs/heads/by-ci', user: 'ci' }],
    )
  } finally {
    await other.close()
  }
})

test('off loopback, reading needs a token too', async () => {
  const named = () => [{ name: 'ci', sha256: createHash('sha256').update('of-ci').digest('hex') }]
  const open = await serveGitd({ root: join(temp, 'root'), host: '0.0.0.0', port: 0, token: TOKEN, named })
  try {
    const url = `http://127.0.0.1:${open.port}/app.git`
    assert.notEqual((await git(temp, 'ls-remote', url)).code, 0)
    assert.equal((await git(temp, 'ls-remote', withToken(url))).code, 0)
    assert.equal((await git(temp, 'ls-remote', url.replace('http://', 'http://x:of-ci@'))).code, 0)
  } finally {
    await open.close()
  }
})

test('by a name that is not of this machine reading needs a token, too: a web page may have it lead here', async () => {
  const as = (host: string, login = ''): Promise<{ readonly code: number }> =>
    git(
      temp,
      '-c',
      `http.extraHeader=Host: ${host}`,
      'ls-remote',
      login === '' ? gitd.urlOf('app') : withToken(gitd.urlOf('app')),
    )
  assert.equal((await as('localhost')).code, 0)
  assert.notEqual((await as('evil.example.com')).code, 0)
  assert.equal((await as('evil.example.com', TOKEN)).code, 0)
})

test('a root that cannot be made is named', async () => {
  const root = join(temp, 'folder', 'README.md', 'root')
  await assert.rejects(serveGitd({ root, port: 0, token: TOKEN }), { code: 'STATE_UNWRITABLE' })
})

test('a taken port is named', async () => {
  await assert.rejects(
    serveGitd({ root: join(temp, 'other'), port: gitd.port, token: TOKEN }),
    /is in use by another program/,
  )
})

test('a server that closes waits for who hears of a push that has moved refs', async () => {
  let [hear, end] = [(): void => undefined, (): void => undefined]
  const isHeard = new Promise<void>((resolve) => (hear = resolve))
  const onPush = (): Promise<void> => {
    hear()
    return new Promise((resolve) => (end = resolve))
  }
  const root = join(temp, 'closing')
  const server = await serveGitd({ root, port: 0, token: TOKEN, onPush })
  await server.createRepository('app')
  const folder = await clone()
  const pushed = git(folder, 'push', '-q', withToken(server.urlOf('app')), 'HEAD:refs/heads/main')
  await isHeard
  let isClosed = false
  const closed = server.close().then(() => (isClosed = true))
  await pushed // its connection is gone
  assert.equal(isClosed, false)
  end()
  await closed
})

test('a push whose event was lost by a crash is told at the next start', async () => {
  const root = join(temp, 'crash')
  const first = await serveGitd({ root, port: 0, token: TOKEN })
  await first.createRepository('app', { fromFolder: join(temp, 'folder') })
  const main = (await git(temp, 'ls-remote', first.urlOf('app'), 'refs/heads/main')).out.slice(0, 40)
  await first.close()
  const pending = {
    repository: 'app',
    user: 'ada',
    commands: [
      { ref: 'refs/heads/main', before: ZERO, after: main },
      { ref: 'refs/heads/never', before: ZERO, after: main },
    ],
  }
  writeFileSync(join(root, '.sluice', 'pushes', '000000000001.json'), JSON.stringify(pending))
  writeFileSync(join(root, '.sluice', 'pushes', '000000000002.json'), '{"torn')
  const told: PushEvent[] = []
  const second = await serveGitd({ root, port: 0, token: TOKEN, onPush: (event) => void told.push(event) })
  await second.close()
  assert.deepEqual(told, [{ repository: 'app', ref: 'refs/heads/main', before: ZERO, after: main, user: 'ada' }])
  assert.deepEqual(readdirSync(join(root, '.sluice', 'pushes')), [])
})
