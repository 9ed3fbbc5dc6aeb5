import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { systemClock } from '../../src/adapters/clock.ts'
import { openArtifactStore } from '../../src/adapters/engine/artifact-store.ts'
import type { EngineContext } from '../../src/adapters/engine/context.ts'
import { lookAtRemote } from '../../src/adapters/engine/git-repository/look.ts'
import { mirrorsOf } from '../../src/adapters/engine/mirrors.ts'
import { createSourceStore } from '../../src/adapters/engine/source-store.ts'
import { commitAndPush } from '../../src/adapters/git/commit-and-push.ts'
import { signPgp } from '../../src/adapters/git/pgp.ts'
import { signSsh } from '../../src/adapters/git/ssh-sign.ts'
import type { KubeClient } from '../../src/adapters/kube/types.ts'
import { type Gitd, serveGitd } from '../../src/embedded/gitd/serve.ts'
import { parseGitRepository } from '../../src/kinds/git-repository.ts'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { ownPorts } from '../support/own-ports.ts'
import { abortAfter } from '../../src/machine/timers.ts'

/** What a GitRepository may ask of its remote, against real git, ssh, gpg and TLS: looks without a cluster. */
const TOKEN = 's3cret-token'
const temp = mkdtempSync(join(tmpdir(), 'sluice-git-sources-'))
const work = join(temp, 'work')
const secrets = new Map<string, Record<string, string>>()
const closers: (() => unknown)[] = []
const run = promisify(execFile)
let gitd: Gitd
let context: EngineContext

const git = async (...argv: string[]): Promise<string> =>
  (
    await run('git', [
      '-C',
      work,
      '-c',
      'user.name=T',
      '-c',
      'user.email=t@example.com',
      '-c',
      'protocol.file.allow=always',
      ...argv,
    ])
  ).stdout.trim()
const has = (command: string): boolean => spawnSync(command, ['--version']).error === undefined
const needs = (...commands: string[]): string | false =>
  commands.filter((one) => !has(one)).map((one) => `no ${one}`)[0] ?? false

before(async () => {
  gitd = await serveGitd({ root: join(temp, 'git'), port: 0, token: TOKEN })
  for (const folder of [work, join(temp, 'logins')]) mkdirSync(folder, { recursive: true })
  const artifacts = await openArtifactStore(join(temp, 'artifacts'), '127.0.0.1:0')
  closers.push(
    () => gitd.close(),
    () => artifacts.close(),
  )
  secrets.set('login', { username: 'x', password: TOKEN })
  const client = {
    get: async ({ name }: { name: string }): Promise<KubeObject | undefined> => {
      const data = secrets.get(name)
      if (!data) return undefined
      const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])
      return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: Object.fromEntries(encoded) }
    },
  } as unknown as KubeClient
  context = {
    client,
    stateDir: temp,
    clock: systemClock,
    traps: 'safe',
    sources: createSourceStore(),
    report: () => undefined,
    artifacts,
    within: abortAfter,
  } as unknown as EngineContext
  await git('init', '-q', '-b', 'main')
  writeFileSync(join(work, 'a.yaml'), 'a: 1\n')
  await git('add', '-A')
  await git('commit', '-q', '-m', 'first')
  await publish('app')
})

after(async () => {
  mirrorsOf(context).close()
  for (const close of closers.reverse()) await close()
  rmSync(temp, { recursive: true, force: true })
})

async function publish(name: string): Promise<void> {
  await gitd.createRepository(name).catch(() => undefined)
  await git('push', '-q', '-f', '--tags', gitd.urlOf(name).replace('://', `://x:${TOKEN}@`), 'main')
}

function look(spec: object, name = 'app') {
  const repository = parseGitRepository({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name, namespace: 'ns', generation: 1 },
    spec: { interval: '1h', url: gitd.urlOf(name), ref: { branch: 'main' }, secretRef: { name: 'login' }, ...spec },
  })
  const tools = { mirrorOf: mirrorsOf(context).of, loginFolder: join(temp, 'logins') }
  return lookAtRemote(context, tools, repository)
}

const offered = (name = 'app'): string[] =>
  [...(context.sources.get('GitRepository', 'ns', name)?.files.keys() ?? [])].sort()

function stored(outcome: Awaited<ReturnType<typeof look>>): Extract<typeof outcome, { kind: 'stored' }> {
  assert.equal(outcome.kind, 'stored', JSON.stringify(outcome))
  return outcome as Extract<typeof outcome, { kind: 'stored' }>
}

function refused(outcome: Awaited<ReturnType<typeof look>>, want: RegExp): void {
  assert.equal(outcome.kind, 'failed')
  if (outcome.kind === 'failed') assert.match(`${outcome.reason}: ${outcome.message}`, want)
}

test('submodules come with their files, only when asked for; the login goes to the same host alone', async () => {
  await gitd.createRepository('lib')
  const lib = join(temp, 'lib')
  const inLib = (...argv: string[]) => run('git', ['-C', lib, '-c', 'user.name=T', '-c', 'user.email=t@e', ...argv])
  mkdirSync(lib)
  await inLib('init', '-q', '-b', 'main')
  writeFileSync(join(lib, 'lib.yaml'), 'lib: 1\n')
  await inLib('add', '-A')
  await inLib('commit', '-q', '-m', 'lib')
  await inLib('push', '-q', gitd.urlOf('lib').replace('://', `://x:${TOKEN}@`), 'main')
  const commit = (await inLib('rev-parse', 'HEAD')).stdout.trim()
  writeFileSync(join(work, '.gitmodules'), '[submodule "lib"]\n  path = vendor/lib\n  url = ../lib.git\n')
  await git('update-index', '--add', '--cacheinfo', `160000,${commit},vendor/lib`)
  await git('add', '.gitmodules')
  await git('commit', '-q', '-m', 'with a submodule')
  await publish('app')
  stored(await look({}))
  assert.deepEqual(offered(), ['a.yaml'])
  stored(await look({ recurseSubmodules: true }))
  assert.deepEqual(offered(), ['a.yaml', 'vendor/lib/lib.yaml'])
  await git('rm', '-q', '-f', '--cached', '.gitmodules', 'vendor/lib')
  rmSync(join(work, '.gitmodules'))
  await git('commit', '-q', '-m', 'without')
  await publish('app')
})

test('SSH signatures of commits and tags are verified in every mode', { skip: needs('ssh-keygen') }, async () => {
  const key = await sshKey('signer')
  const other = await sshKey('other')
  const ssh = ['-c', 'gpg.format=ssh', '-c', `user.signingkey=${key}`]
  writeFileSync(join(work, 'signed.yaml'), 'a: 2\n')
  await git('add', '-A')
  await git(...ssh, 'commit', '-q', '-S', '-m', 'signed')
  await git(...ssh, 'tag', '-s', '-m', 'signed tag', 'v1.0.0')
  await git('tag', 'light')
  await publish('app')
  const commit = await git('rev-parse', 'HEAD')
  const tag = await git('rev-parse', 'v1.0.0')
  secrets.set('good', { 'a.sshpub': readFileSync(`${other}.pub`, 'utf8') + readFileSync(`${key}.pub`, 'utf8') })
  secrets.set('bad', { 'a.sshpub': readFileSync(`${other}.pub`, 'utf8') })
  secrets.set('pgp-only', { 'a.asc': 'x' })
  const [, fingerprint] = (await run('ssh-keygen', ['-lf', `${key}.pub`])).stdout.split(' ')
  const verify = (mode: string, name: string, ref: object = { tag: 'v1.0.0' }) =>
    look({ ref, verify: { mode, secretRef: { name } } })
  const both = stored(await verify('TagAndHEAD', 'good')).verified
  assert.equal(
    both?.message,
    `verified signature of\n\t- tag 'v1.0.0@${tag}' with key '${fingerprint}'\n\t- commit '${commit}' with key '${fingerprint}'`,
  )
  assert.equal(stored(await verify('HEAD', 'good', { branch: 'main' })).verified?.mode, 'HEAD')
  refused(
    await verify('HEAD', 'bad'),
    /InvalidCommitSignature: signature verification of commit '.*' failed: unable to verify Git commit SSH signature: unable to verify payload with any of the given authorized keys: no matching key\npublic key does not match$/,
  )
  refused(await verify('Tag', 'bad'), /InvalidTagSignature: signature verification of tag 'v1\.0\.0@/)
  refused(
    await verify('Tag', 'good', { branch: 'main' }),
    /InvalidVerificationMode: cannot verify tag object's signature if a tag reference is not specified/,
  )
  refused(
    await verify('Tag', 'good', { tag: 'light' }),
    /InvalidGitObject: cannot verify signature of tag 'light' since it is not signed/,
  )
  refused(
    await verify('HEAD', 'pgp-only'),
    /SSH signature detected but no SSH public keys found in secret \(keys with \.sshpub suffix\)/,
  )
  refused(await verify('HEAD', 'nowhere'), /VerificationError: public keys secret error: secrets "nowhere" not found/)
})

test(
  'OpenPGP signatures are verified, by key rings; a commit that we sign is one',
  { skip: needs('gpg') },
  async () => {
    const home = join(temp, 'gnupg')
    mkdirSync(home, { mode: 0o700 })
    const gpg = (...argv: string[]) =>
      run('gpg', [
        '--homedir',
        home,
        '--batch',
        '--quiet',
        '--passphrase',
        'pw',
        '--pinentry-mode',
        'loopback',
        ...argv,
      ])
    await gpg('--quick-gen-key', 'Signer <s@example.com>', 'ed25519', 'sign', 'never')
    const [ring, secret] = await Promise.all([gpg('--armor', '--export'), gpg('--armor', '--export-secret-keys')])
    const keyId = /([0-9A-F]{16})\n/.exec(
      (await gpg('--list-keys', '--keyid-format', 'long')).stdout.replace(/ +/g, ' '),
    )?.[1]
    await run('gpgconf', ['--homedir', home, '--kill', 'all'])
    stored(await look({}))
    const mirror = mirrorsOf(context).of(gitd.urlOf('app'), { namespace: 'ns', secretName: 'login' })
    const base = await git('rev-parse', 'HEAD')
    const pushed = await commitAndPush({
      folder: mirror.folder,
      base,
      changes: [{ path: 'by-us.yaml', bytes: Buffer.from('x: 1\n') }],
      author: { name: 'Bot', email: 'bot@example.com', atMs: 1_700_000_000_000 },
      message: 'signed by us',
      sign: (payload) => signPgp(payload, Buffer.from(secret.stdout), 'pw'),
      url: gitd.urlOf('app'),
      credentials: { username: 'x', password: TOKEN },
      branch: 'main',
      expected: base,
    })
    assert.equal(pushed.kind, 'pushed')
    secrets.set('ring', { 'author.asc': ring.stdout })
    secrets.set('no-ring', { 'author.asc': 'no ring' })
    const verified = stored(await look({ verify: { mode: 'HEAD', secretRef: { name: 'ring' } } })).verified
    assert.match(verified?.message ?? '', /commit '[0-9a-f]{40}' with key '[0-9A-F]{16}'$/)
    if (keyId) assert.ok(verified?.message.includes(keyId))
    refused(
      await look({ verify: { mode: 'HEAD', secretRef: { name: 'no-ring' } } }),
      /unable to verify Git commit: unable to read armored key ring/,
    )
    await assert.rejects(signPgp(Buffer.from('x'), Buffer.from(secret.stdout), 'wrong'), { code: 'GIT_SIGN' })
    await git('fetch', '-q', gitd.urlOf('app').replace('://', `://x:${TOKEN}@`), 'main')
    await git('reset', '-q', '--hard', 'FETCH_HEAD')
  },
)

test(
  'a commit that we sign with SSH is taken by git itself, passphrase and all',
  { skip: needs('ssh-keygen') },
  async () => {
    const key = await sshKey('locked', 'pass phrase')
    const base = await git('rev-parse', 'HEAD')
    const payload = Buffer.from(
      `tree ${await git('rev-parse', 'HEAD^{tree}')}\nparent ${base}\nauthor B <b@e> 1 +0000\ncommitter B <b@e> 1 +0000\n\nx\n`,
    )
    const signature = await signSsh(payload, readFileSync(key), 'pass phrase')
    writeFileSync(join(temp, 'allowed'), `b@e ${readFileSync(`${key}.pub`, 'utf8')}`)
    writeFileSync(join(temp, 'sig'), signature)
    const check = spawnSync(
      'ssh-keygen',
      ['-Y', 'verify', '-f', join(temp, 'allowed'), '-I', 'b@e', '-n', 'git', '-s', join(temp, 'sig')],
      { input: payload },
    )
    assert.equal(check.status, 0, String(check.stderr))
    await assert.rejects(signSsh(payload, readFileSync(key), 'wrong'), { code: 'GIT_SIGN' })
  },
)

test('nothing that some file system takes for .git, and no .., is offered', async () => {
  const blob = await git('rev-parse', 'HEAD:a.yaml')
  const names = ['.git', '.GIT', 'git~1', '.git ', '.git.', '.git::$INDEX_ALLOCATION', '.g\u200cit', '..', 'fine']
  const inner = await tree(`100644 blob ${blob}\tconfig\0`)
  const root = await tree(names.map((name) => `040000 tree ${inner}\t${name}\0`).join(''))
  const commit = (
    await run('git', ['-C', work, '-c', 'user.name=T', '-c', 'user.email=t@e', 'commit-tree', root, '-m', 'evil'])
  ).stdout.trim()
  await gitd.createRepository('evil')
  const bare = join(temp, 'git', 'evil.git')
  await run('git', ['-C', bare, '-c', 'protocol.file.allow=always', 'fetch', '-q', work, commit]).catch(() => undefined)
  await run('git', ['-C', bare, 'update-ref', 'refs/heads/main', commit])
  stored(await look({}, 'evil'))
  assert.deepEqual(offered('evil'), ['fine/config'])
})

async function tree(lines: string): Promise<string> {
  const child = spawnSync('git', ['-C', work, 'mktree', '-z'], { input: lines })
  assert.equal(child.status, 0, String(child.stderr))
  return child.stdout.toString().trim()
}

test('addresses that are commands or options are refused before git sees them', async () => {
  for (const url of [
    '--upload-pack=touch x',
    'ext::sh -c id',
    'http://-oProxyCommand=id/x',
    'ssh://-oProxyCommand=id/x',
    'file:///etc',
  ])
    refused(await look({ url }), /^URLInvalid: /)
  refused(await look({ ref: { name: 'refs/heads/../../x' } }), /unable to resolve ref/)
  refused(await look({ ref: { branch: '--upload-pack=x' } }), /couldn't find remote ref/)
  refused(
    await look({ ref: { commit: 'f'.repeat(40) } }),
    /unable to resolve commit object for 'f{40}': object not found/,
  )
})

test('who knows the hash of a commit and has no login gets nothing of what a login has brought', async () => {
  const closed = await serveGitd({ root: join(temp, 'git'), host: '0.0.0.0', port: 0, token: TOKEN })
  closers.push(() => closed.close())
  const url = `http://127.0.0.1:${closed.port}/app.git`
  const commit = await git('rev-parse', 'HEAD')
  assert.equal(stored(await look({ url, ref: { commit } })).artifact.revision, `sha1:${commit}`)
  refused(await look({ url, ref: { commit }, secretRef: undefined }, 'stranger'), /authentication required/)
  secrets.set('wrong', { username: 'x', password: 'guessed' })
  refused(await look({ url, ref: { commit }, secretRef: { name: 'wrong' } }, 'guesser'), /authentication required/)
})

test('a redirect to another host gets no login', async () => {
  const seen: (string | undefined)[] = []
  const thief = createServer((request, response) => {
    seen.push(request.headers.authorization)
    response.writeHead(200).end()
  })
  const host = await listen(thief)
  const redirector = createServer(
    (_request, response) =>
      void response.writeHead(302, { location: `http://${host}/x/info/refs?service=git-upload-pack` }).end(),
  )
  refused(await look({ url: `http://${await listen(redirector)}/x.git` }), /redirected to another host/)
  assert.deepEqual(seen, [])
})

test('a proxy is used for asking and fetching, with its login', async () => {
  let asked = 0
  const proxy = createServer((request, response) => {
    asked++
    const isKnown = request.headers['proxy-authorization'] === `Basic ${Buffer.from('p:w').toString('base64')}`
    if (!isKnown) return void response.writeHead(407, { 'proxy-authenticate': 'Basic' }).end()
    const { 'proxy-authorization': _own, ...headers } = request.headers
    request.pipe(
      httpRequest(request.url ?? '', { method: request.method ?? 'GET', headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      }),
    )
  })
  secrets.set('proxy', { address: `http://${await listen(proxy)}`, username: 'p', password: 'w' })
  secrets.set('no-proxy', { username: 'p' })
  writeFileSync(join(work, 'p.yaml'), 'p: 1\n')
  await git('add', '-A')
  await git('commit', '-q', '-m', 'through the proxy')
  await publish('app')
  stored(await look({ proxySecretRef: { name: 'proxy' } }))
  assert.ok(asked >= 2, `${asked} requests`)
  refused(
    await look({ proxySecretRef: { name: 'no-proxy' } }),
    /AuthenticationFailed: failed to configure proxy options: secret 'ns\/no-proxy': key 'address' not found/,
  )
})

test('TLS: the authority of the Secret is trusted, its certificate is shown', { skip: needs('openssl') }, async () => {
  const openssl = (...argv: string[]) => run('openssl', argv, { cwd: temp })
  await openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'tls.key',
    '-out',
    'tls.crt',
    '-days',
    '2',
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost,IP:127.0.0.1',
  )
  const [key, cert] = ['tls.key', 'tls.crt'].map((name) => readFileSync(join(temp, name), 'utf8'))
  const target = new URL(gitd.urlOf('app'))
  const server = https.createServer(
    { key, cert, ca: cert, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      request.pipe(
        httpRequest(
          {
            host: target.hostname,
            port: target.port,
            path: request.url,
            method: request.method,
            headers: request.headers,
          },
          (answer) => {
            response.writeHead(answer.statusCode ?? 502, answer.headers)
            answer.pipe(response)
          },
        ),
      )
    },
  )
  const url = `https://${await listen(server)}${target.pathname}`
  const login = { username: 'x', password: TOKEN }
  secrets.set('tls', { ...login, 'ca.crt': cert ?? '', 'tls.crt': cert ?? '', 'tls.key': key ?? '' })
  secrets.set('no-ca', login)
  stored(await look({ url, secretRef: { name: 'tls' } }))
  refused(await look({ url, secretRef: { name: 'no-ca' } }), /GitOperationFailed: .*(self-signed|certificate)/)
})

test(
  'SSH: identity and known hosts, encrypted keys; a foreign host key is refused',
  { skip: needs('ssh') || needsSshd() },
  async () => {
    const key = await sshKey('login-key')
    const locked = await sshKey('login-locked', 'open sesame')
    const { port, hostKey } = await startSshd([key, locked])
    const hosts = (pub: string): string => `[127.0.0.1]:${port} ${pub}`
    const secret = (file: string, more: object = {}) => ({
      identity: readFileSync(file, 'utf8'),
      known_hosts: hosts(hostKey),
      ...more,
    })
    secrets.set('ssh', secret(key))
    secrets.set('ssh-locked', secret(locked, { password: 'open sesame' }))
    secrets.set('ssh-foreign', {
      ...secret(key),
      known_hosts: hosts(readFileSync(`${key}.pub`, 'utf8').split(' ').slice(0, 2).join(' ')),
    })
    secrets.set('ssh-half', { identity: readFileSync(key, 'utf8') })
    const url = `ssh://${process.env['USER'] ?? 'root'}@127.0.0.1:${port}${join(temp, 'git', 'app.git')}`
    const at = (name: string) => look({ url, secretRef: { name } })
    const head = await git('rev-parse', 'HEAD')
    assert.equal(stored(await at('ssh')).artifact.revision, `main@sha1:${head}`)
    assert.equal(stored(await at('ssh-locked')).artifact.revision, `main@sha1:${head}`)
    refused(await at('ssh-foreign'), /ssh: handshake failed: knownhosts/)
    refused(
      await at('ssh-half'),
      /AuthenticationFailed: failed to configure authentication options: invalid 'ssh' auth option: 'known_hosts' is required/,
    )
  },
)

function needsSshd(): string | false {
  return spawnSync('/usr/sbin/sshd', ['-?']).error === undefined && process.getuid?.() === 0
    ? false
    : 'no sshd, or not root'
}

async function sshKey(name: string, passphrase = ''): Promise<string> {
  const path = join(temp, name)
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-C', name, '-f', path])
  return path
}

async function startSshd(keys: readonly string[]): Promise<{ port: number; hostKey: string }> {
  const folder = join(temp, 'sshd')
  mkdirSync(folder, { mode: 0o755 })
  mkdirSync('/run/sshd', { recursive: true })
  const hostKey = await sshKey('host-key')
  const authorized = join(folder, 'authorized')
  writeFileSync(authorized, keys.map((key) => readFileSync(`${key}.pub`, 'utf8')).join(''))
  chmodSync(authorized, 0o600)
  const port = await ownPorts()
  const lines = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${hostKey}`,
    `AuthorizedKeysFile ${authorized}`,
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin yes',
    'PasswordAuthentication no',
    `PidFile ${join(folder, 'pid')}`,
  ]
  writeFileSync(join(folder, 'config'), `${lines.join('\n')}\n`)
  const child: ChildProcess = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(folder, 'config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  closers.push(() => child.kill())
  await new Promise<void>((resolve, reject) => {
    let text = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (/listening/.test(text)) resolve()
    })
    child.on('exit', () => reject(new Error(text)))
  })
  return { port, hostKey: readFileSync(`${hostKey}.pub`, 'utf8').split(' ').slice(0, 2).join(' ') }
}

async function listen(server: ReturnType<typeof createServer> | https.Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(
    () =>
      new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      }),
  )
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}
