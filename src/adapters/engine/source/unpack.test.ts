import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { renderTarHeader, TAR_END, tarPadding, type TarInput } from '../../../lib/tar/write.ts'
import { unpackArchive } from './unpack.ts'

const entry = (header: TarInput, text = ''): Buffer =>
  Buffer.concat([renderTarHeader({ ...header, sizeBytes: text.length }), Buffer.from(text), tarPadding(text.length)])
const archive = (...entries: Buffer[]): Buffer => gzipSync(Buffer.concat([...entries, TAR_END]))

test('files of an archive are offered, links left out, modes kept', async () => {
  const { files, bytes } = await unpackArchive(
    archive(
      entry({ path: './a/b.yaml', type: 'file' }, 'x: 1\n'),
      entry({ path: 'run.sh', type: 'file', mode: 0o755 }, 'y'),
      entry({ path: 'link', type: 'symlink', linkPath: '/etc/passwd' }),
      entry({ path: 'a', type: 'directory' }),
    ),
    'app',
  )
  assert.deepEqual([...files.keys()], ['a/b.yaml', 'run.sh'])
  assert.equal(files.get('run.sh')?.isExecutable, true)
  assert.equal(bytes.get(files.get('a/b.yaml')?.hash ?? '')?.toString(), 'x: 1\n')
})

const hostile: readonly [it: string, bytes: Buffer, want: RegExp][] = [
  ['leaves its folder', archive(entry({ path: '../x', type: 'file' })), /invalid name error "\.\.\/x"/],
  ['leaves it inside', archive(entry({ path: 'a/../../x', type: 'file' })), /invalid name error/],
  ['is absolute', archive(entry({ path: '/etc/x', type: 'file' })), /invalid name error/],
  ['holds a device', archive(entry({ path: 'dev', type: 'character' })), /unsupported file type/],
  ['holds a hard link', archive(entry({ path: 'hard', type: 'link', linkPath: 'a' })), /unsupported file type/],
  ['is cut', archive(entry({ path: 'a', type: 'file' }, 'x'.repeat(5000))).subarray(0, 60), /gzip|ends/],
  ['is none', Buffer.from('no archive'), /tar|ends/],
]
for (const [it, bytes, want] of hostile)
  test(`an archive that ${it} is refused whole`, () => assert.rejects(unpackArchive(bytes, 'app'), want))

test('a bomb is refused before it has unfolded', async () => {
  const size = 200 * 1024 * 1024
  const header = renderTarHeader({ path: 'bomb', type: 'file', sizeBytes: size })
  const bomb = gzipSync(Buffer.concat([header, Buffer.alloc(1024 * 1024)]))
  await assert.rejects(unpackArchive(bomb, 'app'), /unpacks to more than/)
})
