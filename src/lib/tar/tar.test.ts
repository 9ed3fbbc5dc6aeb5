import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { SluiceError } from '../error/sluice-error.ts'
import { safePath } from './entry.ts'
import { readTar, type TarLimits } from './read.ts'
import { packTar, type TarInput } from './write.ts'

const long = `${'folder-'.repeat(30)}/${'x'.repeat(120)}`
const entries: (TarInput & { content?: Buffer })[] = [
  { path: 'a', type: 'directory' },
  { path: 'a/file', type: 'file', content: Buffer.from('hello'), mode: 0o4755, uid: 1000, gid: 1000 },
  { path: 'a/empty', type: 'file' },
  { path: long, type: 'file', content: Buffer.alloc(1500, 'z') },
  { path: `${'p'.repeat(90)}/${'n'.repeat(90)}`, type: 'file', content: Buffer.from('prefix') },
  { path: 'umlaut-ä', type: 'file', content: Buffer.from('ä') },
  { path: 'link', type: 'symlink', linkPath: `../${'t'.repeat(200)}` },
  { path: 'hard', type: 'link', linkPath: 'a/file' },
  { path: 'big-owner', type: 'file', uid: 3_000_000_000, gid: 5 },
]

async function unpack(
  bytes: Buffer,
  pieceBytes: number,
  limits: TarLimits = { entries: 100, totalBytes: 1e6 },
): Promise<object[]> {
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
  }
  const found: object[] = []
  for await (const { body, offset, ...entry } of readTar(pieces(), { name: 'test.tar', limits })) {
    const parts: Buffer[] = []
    for await (const part of body) parts.push(part)
    const content = Buffer.concat(parts)
    assert.deepEqual(content, bytes.subarray(offset, offset + entry.sizeBytes))
    found.push({ ...entry, path: safePath(entry.path), text: content.toString() })
  }
  return found
}

test('an archive comes back as it was written, however it is cut', async () => {
  const bytes = packTar(entries)
  const whole = await unpack(bytes, bytes.length)
  assert.deepEqual(
    whole,
    entries.map(({ content, ...entry }) => ({
      uid: 0,
      gid: 0,
      mode: entry.type === 'directory' ? 0o755 : 0o644,
      mtimeSeconds: 0,
      linkPath: '',
      sizeBytes: content?.length ?? 0,
      text: content?.toString() ?? '',
      ...entry,
    })),
  )
  for (const piece of [1, 7, 512, 1000]) assert.deepEqual(await unpack(bytes, piece), whole)
})

test('the same entries give the same bytes', () => assert.deepEqual(packTar(entries), packTar(entries)))

test('the system tar reads what we write', (t) => {
  try {
    execFileSync('tar', ['--version'])
  } catch {
    return t.skip('no tar on this machine')
  }
  const list = execFileSync('tar', ['-tf', '-'], {
    input: packTar(entries),
    encoding: 'utf8',
    env: { LC_ALL: 'C.UTF-8' },
  })
  assert.equal(list.split('\n').filter(Boolean).length, entries.length)
  assert.ok(list.includes(long))
})

test('a broken archive is refused with its reason', async () => {
  const bytes = packTar(entries)
  const cases: { bytes: Buffer; limits?: TarLimits; want: RegExp }[] = [
    { bytes: bytes.subarray(0, 1100), want: /middle of an entry/ },
    { bytes: Buffer.from('no tar'.repeat(200)), want: /checksum/ },
    { bytes, limits: { entries: 3, totalBytes: 1e6 }, want: /more than 3 entries/ },
    { bytes, limits: { entries: 99, totalBytes: 10 }, want: /more than 10 bytes/ },
  ]
  for (const { bytes, limits, want } of cases)
    await assert.rejects(
      unpack(bytes, 512, limits),
      (error) => error instanceof SluiceError && want.test(error.message),
    )
})

test('a path that leaves its folder is no path', () => {
  assert.deepEqual(['/etc/passwd', './a//b/', 'a/../../b', '..', '.', 'a\0b', 'a..b/c'].map(safePath), [
    'etc/passwd',
    'a/b',
    undefined,
    undefined,
    '',
    undefined,
    'a..b/c',
  ])
})
