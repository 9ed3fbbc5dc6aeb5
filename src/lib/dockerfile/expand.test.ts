import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExpandError, expandWord, expandWords } from './expand.ts'
import { parseDockerignore } from './ignore.ts'

const values: Readonly<Record<string, string>> = { x: 'value', empty: '', path: '/a/b/c.tar.gz' }
const lookup = (name: string): string | undefined => values[name]

const cases: [string, string][] = [
  ['$x-${x}', 'value-value'],
  ['$missing.', '.'],
  ['${missing:-y}', 'y'],
  ['${empty:-y}', 'y'],
  ['${empty-y}', ''],
  ['${x:+set}', 'set'],
  ['${empty:+set}', ''],
  ['${empty+set}', 'set'],
  ['${missing:-${x}}', 'value'],
  ['${missing:-"a b"}', 'a b'],
  ["'$x'", '$x'],
  ['"$x y"', 'value y'],
  ['\\$x', '$x'],
  ['"\\$x"', '$x'],
  ['$', '$'],
  ['${path##*/}', 'c.tar.gz'],
  ['${path#*/}', 'a/b/c.tar.gz'],
  ['${path%.*}', '/a/b/c.tar'],
  ['${path%%.*}', '/a/b/c'],
  ['${x/l/L}', 'vaLue'],
]
for (const [text, want] of cases) test(`${text} expands to ${want}`, () => assert.equal(expandWord(text, lookup), want))

test('a word stays one word whatever its variables hold', () =>
  assert.deepEqual(expandWords('a "b c" $x ${missing:-d e} \\ f', lookup), ['a', 'b c', 'value', 'd e', ' f']))

for (const text of ['${x', '${missing:?is needed}', '"open', '${x!y}'])
  test(`${text} is refused`, () => assert.throws(() => expandWord(text, lookup), ExpandError))

const ignored: { rules: string; path: string; want: boolean }[] = [
  { rules: '*.md', path: 'README.md', want: true },
  { rules: '*.md', path: 'docs/README.md', want: false },
  { rules: '**/*.md', path: 'docs/a/README.md', want: true },
  { rules: '*.md\n!README.md', path: 'README.md', want: false },
  { rules: 'node_modules', path: 'node_modules/x/y.js', want: true },
  { rules: '/dist/', path: 'dist/a', want: true },
  { rules: '# comment\n\nfile?.[ab]', path: 'file1.a', want: true },
  { rules: '*\n!src', path: 'src/a.ts', want: false },
  { rules: '*\n!src', path: 'other/a.ts', want: true },
]
for (const { rules, path, want } of ignored)
  test(`.dockerignore ${JSON.stringify(rules)} ${want ? 'leaves out' : 'keeps'} ${path}`, () =>
    assert.equal(parseDockerignore(rules).isIgnored(path), want))
