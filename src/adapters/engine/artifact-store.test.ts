import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import http from 'node:http'
import { hostname, networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { LONG_MS } from '../../../tests/support/wait.ts'
import { openArtifactStore } from './artifact-store.ts'

const answerAs = (host: string, url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    http
      .get(url, { headers: { host } }, (answer) => {
        void text(answer).then((said) => resolve(`${answer.statusCode} ${said}`), reject)
      })
      .on('error', reject)
  })

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))
const hosts = ['127.0.0.1', ...(hasIpv6 ? ['[::1]'] : [])]

for (const host of hosts)
  test(`artifacts are served on ${host}, under the address with the real port`, async () => {
    const root = mkdtempSync(join(tmpdir(), 'sluice-artifacts-'))
    const store = await openArtifactStore(root, `${host}:0`)
    try {
      await store.write('gitrepository/a/b/c.tar.gz', Buffer.from('text'))
      assert.match(store.host, /:[1-9]\d*$/)
      assert.equal(await (await fetch(store.urlOf('gitrepository/a/b/c.tar.gz'))).text(), 'text')
      const refusal = await answerAs('evil.example.com', store.urlOf('gitrepository/a/b/latest.tar.gz'))
      assert.match(refusal, /^421 .* ask it as 127\.0\.0\.1 or localhost, or let --artifact-listen name/)
    } finally {
      await store.close()
      rmSync(root, { recursive: true, force: true })
    }
  })

test('an artifact that is replaced while it is asked for is sent as one or the other, whole', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'sluice-artifacts-'))
  const store = await openArtifactStore(root, '127.0.0.1:0')
  t.after(async () => {
    await replacing
    await store.close()
    rmSync(root, { recursive: true, force: true })
  })
  const texts = { a: 'a'.repeat(300), b: 'b'.repeat(100) }
  const write = (name: 'a' | 'b'): Promise<void> => store.write(`x/y/z/${name}.tar.gz`, Buffer.from(texts[name]))
  await write('a')
  let isOver = false
  const replacing = (async () => {
    for (let turn = 0; !isOver; turn++) await write(turn % 2 === 0 ? 'b' : 'a')
  })()
  const ask = (): Promise<string> => answerAs('127.0.0.1', store.urlOf('x/y/z/latest.tar.gz'))
  const asking = Promise.all([1, 2, 3, 4].map(() => inTurn(15, ask)))
  const heard = new Set((await asking.finally(() => (isOver = true))).flat())
  await replacing
  const whole = Object.values(texts).map((body) => `200 ${body}`)
  assert.deepEqual(
    [...heard].filter((answer) => !whole.includes(answer)),
    [],
  )
})

async function inTurn<T>(times: number, ask: () => Promise<T>): Promise<T[]> {
  const heard: T[] = []
  while (heard.length < times) heard.push(await ask())
  return heard
}

test('what a killed process of the same number left is not written through', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'sluice-artifacts-'))
  const store = await openArtifactStore(root, '127.0.0.1:0')
  t.after(async () => {
    await store.close()
    rmSync(root, { recursive: true, force: true })
  })
  await store.write('bucket/a/b/c.tar.gz', Buffer.from('old'))
  symlinkSync('c.tar.gz', join(root, `bucket/a/b/c.tar.gz.${process.pid}.tmp`))
  await store.write('bucket/a/b/c.tar.gz', Buffer.from('new'))
  for (const name of ['c', 'latest']) assert.equal((await store.read(`bucket/a/b/${name}.tar.gz`)).toString(), 'new')
})

test(
  "a folder that is not ours (a volume's lost+found) keeps no store from opening",
  { skip: process.getuid?.() === 0 && 'root may read everything' },
  async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'sluice-artifacts-'))
    const [foreign, left] = [join(root, 'lost+found'), join(root, 'z.1.tmp')]
    mkdirSync(foreign, { mode: 0 })
    writeFileSync(left, '')
    const store = await openArtifactStore(root, '127.0.0.1:0')
    t.after(async () => {
      await store.close()
      chmodSync(foreign, 0o700)
      rmSync(root, { recursive: true, force: true })
    })
    assert.deepEqual(readdirSync(root), ['lost+found'])
  },
)

const machine = process.env['HOSTNAME'] || hostname()
const advertised: { it: string; listen: string; says?: string; want: RegExp }[] = [
  {
    it: 'the name of the machine on all addresses',
    listen: '0.0.0.0:0',
    want: new RegExp(`^http://${machine}:[1-9]\\d*/x$`),
  },
  { it: 'what is advertised', listen: '0.0.0.0:0', says: 'sluice.ns.svc.', want: /^http:\/\/sluice\.ns\.svc\.\/x$/ },
  {
    it: 'what is advertised on loopback, too',
    listen: '127.0.0.1:0',
    says: 'in-front:80',
    want: /^http:\/\/in-front:80\/x$/,
  },
]
for (const { it, listen, says, want } of advertised)
  test(`the address of an artifact names ${it}`, async () => {
    const root = mkdtempSync(join(tmpdir(), 'sluice-artifacts-'))
    const store = await openArtifactStore(root, listen, says)
    try {
      await store.write('x', Buffer.from('text'))
      assert.match(store.urlOf('x'), want)
      const here = `http://127.0.0.1:${store.host.split(':')[1]}/x`
      assert.equal(await answerAs(new URL(store.urlOf('x')).host, here), '200 text')
    } finally {
      await store.close()
      rmSync(root, { recursive: true, force: true })
    }
  })

test('what a killed process had not finished is removed at the next start', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'sluice-artifacts-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const folder = join(root, 'gitrepository', 'a', 'b.tmp')
  mkdirSync(folder, { recursive: true })
  for (const name of ['c.tar.gz', 'c.tar.gz.4711.tmp']) writeFileSync(join(folder, name), 'half')
  symlinkSync('c.tar.gz', join(folder, 'd.tar.gz.4711.tmp'))
  const store = await openArtifactStore(root, '127.0.0.1:0')
  t.after(store.close)
  assert.deepEqual(readdirSync(folder), ['c.tar.gz'])
})

test('only what is not there is not found: a fault of the disk may pass', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'sluice-artifacts-'))
  const store = await openArtifactStore(root, '127.0.0.1:0')
  t.after(async () => {
    await store.close()
    rmSync(root, { recursive: true, force: true })
  })
  symlinkSync('loop', join(root, 'loop'))
  const paths = ['none', 'a/%00', '%ff', 'x'.repeat(300), 'loop']
  const answers = await Promise.all(paths.map(async (path) => (await fetch(store.urlOf(path))).status))
  assert.deepEqual(answers, [404, 404, 404, 404, 500])
})

test(
  'who goes away half way through an artifact leaves no open file behind',
  { skip: process.platform !== 'linux' && 'open files are seen in /proc', timeout: LONG_MS },
  async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'sluice-artifacts-'))
    const store = await openArtifactStore(root, '127.0.0.1:0')
    t.after(() => rmSync(root, { recursive: true, force: true }))
    // more than the buffers of a connection take
    await store.write('bucket/a/b/c.tar.gz', Buffer.alloc(32 << 20))
    const isOpen = (fd: string): boolean => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(root)
      } catch {
        return false
      }
    }
    await new Promise<void>((resolve, reject) => {
      http
        .get(store.urlOf('bucket/a/b/c.tar.gz'), (answer) => answer.destroy().once('close', resolve))
        .on('error', reject)
    })
    await store.close()
    while (readdirSync('/proc/self/fd').some(isOpen)) await new Promise(setImmediate)
  },
)
