import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../error/sluice-error.ts'
import { readTar } from './read.ts'
import { packTar } from './write.ts'

test('whatever bytes are damaged, an archive is read or refused', async () => {
  const good = packTar([
    { path: 'ä'.repeat(80), type: 'file', content: Buffer.from('hello') },
    { path: 'link', type: 'symlink', linkPath: 'x'.repeat(150) },
    { path: 'd', type: 'directory' },
  ])
  let seed = 3
  const random = (below: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % below
  for (let turn = 0; turn < 500; turn++) {
    const bytes = Buffer.from(good)
    for (let damage = random(4) + 1; damage > 0; damage--) bytes[random(bytes.length)] = random(256)
    try {
      for await (const entry of readTar(chunks(bytes, random(900) + 100), {
        name: 't',
        limits: { entries: 9, totalBytes: 1e5 },
      }))
        assert.ok(entry.sizeBytes <= 1e5)
    } catch (error) {
      assert.ok(error instanceof SluiceError, String(error))
    }
  }
})

async function* chunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** A header block whose fields are overwritten, its checksum made right. */
function header(flag: string, fields: Readonly<Record<number, string | Buffer>>): Buffer {
  const block = packTar([{ path: 'x', type: 'file' }]).subarray(0, 512)
  block.write(flag, 156, 'latin1')
  for (const [offset, value] of Object.entries(fields)) Buffer.from(value).copy(block, Number(offset))
  block.fill(' ', 148, 156)
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
    'latin1',
  )
  return block
}

const size = (text: string): Readonly<Record<number, string>> => ({ 124: text.padEnd(12, '\0') })

function pax(...records: readonly string[]): Buffer {
  const body = Buffer.from(
    records
      .map((record) => {
        const rest = record.length + 2
        const length = rest + String(rest + String(rest).length).length
        return `${length} ${record}\n`
      })
      .join(''),
  )
  return Buffer.concat([
    header('x', size(body.length.toString(8))),
    body,
    Buffer.alloc((512 - (body.length % 512)) % 512),
  ])
}

const FILE = header('0', size('1000'))
const BODY = Buffer.alloc(512, 'b')

const hostile: readonly { readonly it: string; readonly bytes: readonly Buffer[]; readonly want: RegExp }[] = [
  { it: 'a negative size makes no room', bytes: [header('0', size('-10000')), FILE, BODY], want: /size is no number/ },
  { it: 'a size of other digits', bytes: [header('0', size('0x10')), BODY], want: /size is no number/ },
  { it: 'a size below zero in base 256', bytes: [header('0', { 124: Buffer.alloc(12, 0xff) })], want: /no number/ },
  {
    it: 'a size beyond all numbers in base 256',
    bytes: [header('0', { 124: Buffer.from([0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) })],
    want: /no number/,
  },
  { it: 'a PAX size in another notation', bytes: [pax('size=1e2'), FILE], want: /PAX size of "1e2"/ },
  { it: 'a PAX size below zero', bytes: [pax('size=-512'), FILE], want: /PAX size of "-512"/ },
  {
    it: 'a folder with content',
    bytes: [header('0', { 0: 'a/', ...size('1000') }), BODY],
    want: /folder with content/,
  },
  { it: 'a sparse file', bytes: [pax('GNU.sparse.major=1'), FILE, BODY], want: /unknown type/ },
  {
    it: 'records of names without end',
    bytes: Array.from({ length: 50 }, (_, index) => pax(`key${index}=value`)),
    want: /records of names/,
  },
  {
    it: 'records of names larger than everything',
    bytes: [pax(`comment=${'x'.repeat(3000)}`), pax(`comment=${'x'.repeat(3000)}`), FILE, BODY],
    want: /more than 4000 bytes/,
  },
]
for (const { it, bytes, want } of hostile)
  test(`refused: ${it}`, async () => {
    const read = async (): Promise<void> => {
      const limits = { entries: 5, totalBytes: 4000 }
      for await (const entry of readTar(chunks(Buffer.concat(bytes), 512), { name: 't', limits })) void entry
    }
    await assert.rejects(read, (error) => error instanceof SluiceError && want.test(error.message))
  })

test('an empty PAX record takes back one that is for all entries', async () => {
  const all = Buffer.concat([header('g', size('14')), Buffer.from('12 path=all\n'.padEnd(512, '\0'))])
  const paths: string[] = []
  const archive = Buffer.concat([all, header('0', size('0')), pax('path='), header('0', size('0')), Buffer.alloc(1024)])
  for await (const { path } of readTar(chunks(archive, 700), { name: 't', limits: { entries: 9, totalBytes: 1e5 } }))
    paths.push(path)
  assert.deepEqual(paths, ['all', 'x'])
})

for (const key of ['path', 'linkpath'])
  test(`refused: a ${key} longer than any system takes`, async () => {
    const archive = Buffer.concat([pax(`${key}=${'a/'.repeat(50_000)}`), header('2', size('0'))])
    const read = async (): Promise<void> => {
      const limits = { entries: 9, totalBytes: 1e6 }
      for await (const entry of readTar(chunks(archive, 4096), { name: 't', limits })) void entry
    }
    await assert.rejects(read, /t has a path of 100000 characters: (a\/){40}…$/)
  })
