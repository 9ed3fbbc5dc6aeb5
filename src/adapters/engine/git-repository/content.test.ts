import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Mirror } from '../../git/mirror.ts'
import type { SourceFile } from '../source-store.ts'
import { LookFailure } from '../source/look-failure.ts'
import { type ContentWish, contentOf, type Parts } from './content.ts'

// What a GitRepository offers of its commit: sparse folders, includes, submodules and what is ignored, alone and together.
const fileOf = (path: string): SourceFile => ({ path, hash: path, isExecutable: false, sizeBytes: 1 }) as SourceFile
const reading = async ({ hash }: SourceFile): Promise<Buffer> =>
  Buffer.from(hash.endsWith('.sourceignore') ? '/app/secret.txt\n' : hash)
const contentIn = (...paths: string[]) => ({
  files: new Map(paths.map((path) => [path, fileOf(path)])),
  read: reading,
})
const include = (fromPath: string, toPath: string, ...paths: string[]) => ({
  ...{ name: 'other', fromPath, toPath },
  content: contentIn(...paths),
})

const OWN = ['README.md', 'app/a.yaml', 'app/logo.png', 'app/secret.txt', 'app2/b.yaml', 'lib/c.yaml']
const mirror = (paths: readonly string[]) =>
  ({ files: async () => paths.map(fileOf), blob: async (hash: string) => reading(fileOf(hash)) }) as unknown as Mirror
const wish: ContentWish = {
  ...{ namespace: 'ns', name: 'repo', url: 'http://git/repo', ignore: undefined, sparseCheckout: [] },
  recurseSubmodules: false,
}
const parts: Parts = { submodules: async () => [], includes: [], traps: 'safe' }
const offered = async (own: readonly string[], asked: Partial<ContentWish>, more: Partial<Parts> = {}) =>
  [...(await contentOf(mirror(own), 'c', { ...wish, ...asked }, { ...parts, ...more })).files.keys()].sort()

type Row = { it: string; own?: string[]; wish?: Partial<ContentWish>; parts?: Partial<Parts>; want: string[] }
const other = include('deploy', 'vendor/other', 'deploy/x.yaml', 'deploy/pic.jpg', 'top.yaml')
const rows: Row[] = [
  { it: 'all but what Flux ignores by itself', want: OWN.filter((path) => !path.endsWith('.png')) },
  {
    it: 'one folder, files at the root neither',
    wish: { sparseCheckout: ['app'] },
    want: ['app/a.yaml', 'app/secret.txt'],
  },
  {
    it: 'with --traps flux whatever begins as the folder does',
    wish: { sparseCheckout: ['app'] },
    parts: { traps: 'flux' },
    want: ['app/a.yaml', 'app/secret.txt', 'app2/b.yaml'],
  },
  {
    it: 'several folders, however they are written',
    wish: { sparseCheckout: ['./lib/', '/app2'] },
    want: ['app2/b.yaml', 'lib/c.yaml'],
  },
  { it: 'one file', wish: { sparseCheckout: ['lib/c.yaml'] }, want: ['lib/c.yaml'] },
  { it: 'the root', wish: { sparseCheckout: ['.'], ignore: '/app*' }, want: ['README.md', 'lib/c.yaml'] },
  { it: 'never what lies outside', wish: { sparseCheckout: ['../../app'] }, want: ['app/a.yaml', 'app/secret.txt'] },
  {
    it: 'an include whole, where it is to be',
    own: ['a.yaml'],
    parts: { includes: [include('', 'vendor', 'x.yaml', 'y/z.yaml')] },
    want: ['a.yaml', 'vendor/x.yaml', 'vendor/y/z.yaml'],
  },
  {
    it: 'a folder of an include, and of it nothing that is ignored here',
    own: ['a.yaml'],
    parts: { includes: [other] },
    want: ['a.yaml', 'vendor/other/x.yaml'],
  },
  {
    it: 'spec.ignore counts for files of an include, too, and takes the place of what Flux ignores',
    own: ['a.yaml'],
    wish: { ignore: '/vendor/other/x.yaml' },
    parts: { includes: [other] },
    want: ['a.yaml', 'vendor/other/pic.jpg'],
  },
  {
    it: 'includes beside a sparse folder: they are no part of the checkout',
    wish: { sparseCheckout: ['lib'] },
    parts: { includes: [other] },
    want: ['lib/c.yaml', 'vendor/other/x.yaml'],
  },
  {
    it: 'the later of two includes, and an include over a file of its own',
    own: ['v/x.yaml'],
    parts: { includes: [include('', 'v', 'x.yaml'), include('deploy', 'v', 'deploy/x.yaml', 'deploy/y.yaml')] },
    want: ['v/x.yaml', 'v/y.yaml'],
  },
  {
    it: 'one file of an include, by the name that it is given',
    own: ['a.yaml'],
    parts: { includes: [include('x/top.yaml', 'v/renamed.yaml', 'x/top.yaml', 'x/other.yaml')] },
    want: ['a.yaml', 'v/renamed.yaml'],
  },
  {
    it: 'one file of an include in the place of another, with the traps of Flux',
    own: ['a.yaml'],
    parts: { includes: [include('top.yaml', 'a.yaml', 'top.yaml')], traps: 'flux' },
    want: ['a.yaml'],
  },
  {
    it: 'what begins with a dot for the sparse folder ".", with the traps of Flux',
    own: ['.x/a.yaml', 'lib/c.yaml'],
    wish: { sparseCheckout: ['.'] },
    parts: { traps: 'flux' },
    want: ['.x/a.yaml'],
  },
  {
    it: 'nothing for the sparse folder "..", with the traps of Flux',
    wish: { sparseCheckout: ['..'] },
    parts: { traps: 'flux' },
    want: [],
  },
  {
    it: 'an include never above the root',
    own: ['a.yaml'],
    parts: { includes: [include('', '../up', 'x.yaml')] },
    want: ['a.yaml', 'up/x.yaml'],
  },
  {
    it: 'a .sourceignore, also when its folder alone is checked out',
    own: ['app/.sourceignore', 'app/a.yaml', 'app/app/secret.txt', 'lib/c.yaml'],
    wish: { sparseCheckout: ['app'] },
    want: ['app/.sourceignore', 'app/a.yaml'],
  },
  {
    it: 'submodules only when asked for, and within the sparse folders',
    wish: { sparseCheckout: ['lib'], recurseSubmodules: true },
    parts: { submodules: async () => [include('', 'lib/sub', 's.yaml'), include('', 'app/sub', 't.yaml')] },
    want: ['lib/c.yaml', 'lib/sub/s.yaml'],
  },
  {
    it: 'no submodules unasked',
    own: ['a.yaml'],
    parts: { submodules: async () => assert.fail('asked') },
    want: ['a.yaml'],
  },
]
for (const { it, own = OWN, wish: asked = {}, parts: more = {}, want } of rows)
  test(`a GitRepository offers ${it}`, async () => assert.deepEqual(await offered(own, asked, more), want))

test('a later include is read from where it came', async () => {
  const from = include('deploy', 'v', 'deploy/x.yaml')
  const content = await contentOf(mirror(['v/x.yaml']), 'c', wish, { ...parts, includes: [from] })
  const file = content.files.get('v/x.yaml')
  assert.equal(file && (await content.read(file)).toString(), 'deploy/x.yaml')
})

test('an include of an include is read from where it came first', async () => {
  const mirrorOf = (path: string) =>
    ({
      files: async () => [fileOf(path)],
      blob: async (hash: string) => (hash === path ? Buffer.from(hash) : assert.fail(`${hash} is not in ${path}`)),
    }) as unknown as Mirror
  const offeredBy = (path: string, toPath: string, content?: Parts['includes'][number]['content']) =>
    contentOf(mirrorOf(path), 'c', wish, {
      ...parts,
      includes: content ? [{ name: 'other', fromPath: '', toPath, content }] : [],
    })
  const whole = await offeredBy('z.yaml', 'a', await offeredBy('y.yaml', 'b', await offeredBy('x.yaml', '')))
  const file = whole.files.get('a/b/x.yaml')
  assert.equal(file && (await whole.read(file)).toString(), 'x.yaml')
})

const faults: { it: string; wish?: Partial<ContentWish>; parts?: Partial<Parts>; want: [string, string, RegExp] }[] = [
  {
    it: 'a sparse folder that is not there',
    wish: { sparseCheckout: ['lib', 'gone'] },
    want: [
      'FetchFailed',
      'GitOperationFailed',
      /^failed to sparse checkout directories : sparse checkout dir 'gone' does not exist in repository$/,
    ],
  },
  {
    it: 'a sparse folder that begins at a root, as Flux has it',
    wish: { sparseCheckout: ['/lib'] },
    parts: { traps: 'flux' },
    want: ['FetchFailed', 'GitOperationFailed', /sparse checkout dir '\/lib' does not exist in repository: lstat /],
  },
  {
    it: 'a sparse folder that leads through another, as Flux has it',
    wish: { sparseCheckout: ['lib/../app'] },
    parts: { traps: 'flux' },
    want: [
      'FetchFailed',
      'GitOperationFailed',
      /dir 'lib\/\.\.\/app' does not exist in repository: lstat \/tmp\/.*\/app: /,
    ],
  },
  {
    it: 'a folder of an include in the place of a file, with the traps of Flux',
    parts: { includes: [include('v', 'lib/c.yaml', 'v/x.yaml')], traps: 'flux' },
    want: [
      'StorageOperationFailed',
      'CopyFailure',
      /^failed to copy 'other' include from v to lib\/c\.yaml: link error: cannot rename .*: not a directory$/,
    ],
  },
  {
    it: 'a sparse folder that only something begins with',
    wish: { sparseCheckout: ['ap'] },
    parts: { traps: 'flux' },
    want: [
      'FetchFailed',
      'GitOperationFailed',
      /sparse checkout dir 'ap' does not exist in repository: lstat \/tmp\/gitrepository-ns-repo-\d+\/ap: no such file/,
    ],
  },
  {
    it: 'an include whose folder is not there',
    parts: { includes: [include('gone', 'v', 'x.yaml')] },
    want: [
      'StorageOperationFailed',
      'CopyFailure',
      /^failed to copy 'other' include from gone to v: there is no such folder$/,
    ],
  },
  {
    it: 'an include whose place is taken, with the traps of Flux',
    parts: { includes: [include('v', 'app', 'v/x.yaml')], traps: 'flux' },
    want: [
      'StorageOperationFailed',
      'CopyFailure',
      /^failed to copy 'other' include from v to app: link error: cannot rename \/tmp\/.*\/v to \/tmp\/.*\/app: rename .*: file exists$/,
    ],
  },
  {
    it: 'a whole include whose place is taken, with the traps of Flux',
    parts: { includes: [include('', 'app', 'v/x.yaml')], traps: 'flux' },
    want: [
      'StorageOperationFailed',
      'CopyFailure',
      /^failed to copy 'other' include from  to app: link error: cannot rename \/tmp\/.*\/unpack to \/tmp\/.*\/app: rename /,
    ],
  },
  {
    it: 'two includes at one place, with the traps of Flux',
    parts: { includes: [include('v', 'a', 'v/x.yaml'), include('w', 'a', 'w/x.yaml')], traps: 'flux' },
    want: [
      'StorageOperationFailed',
      'CopyFailure',
      /^failed to copy 'other' include from w to a: link error: cannot rename/,
    ],
  },
  {
    it: 'an include whose folder is not there, in the words of Flux',
    parts: { includes: [include('./gone/', 'v', 'x.yaml')], traps: 'flux' },
    want: [
      'StorageOperationFailed',
      'CopyFailure',
      /^failed to copy 'other' include from \.\/gone\/ to v: cannot stat \/tmp\/flux-include-\d+\/unpack\/gone: stat .*: no such file or directory$/,
    ],
  },
]
for (const { it, wish: asked = {}, parts: more = {}, want } of faults)
  test(`a GitRepository refuses ${it}`, () =>
    assert.rejects(offered(OWN, asked, more), (error) => {
      assert.ok(error instanceof LookFailure)
      const { condition, reason, message } = error.outcome
      assert.deepEqual([condition, reason], want.slice(0, 2))
      assert.match(message, want[2])
      return true
    }))
