import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cleanPath, isSafePath } from './safe-path.ts'
import { splitCommit, splitTag } from './signed-object.ts'

const bad = [
  '../x',
  'a/../../x',
  '.git/config',
  'a/.GIT/x',
  'GIT~1/x',
  'git~2',
  '.git /x',
  '.git./x',
  '.git::$DATA',
  '.g\u200dit',
  'a\\..\\b',
  'x\\.git\\y',
  'a//b',
  'a\0b',
]
for (const path of bad)
  test(`a tree does not offer ${JSON.stringify(path)}`, () => assert.equal(isSafePath(path), false))
for (const path of ['a', '.github/x', '.gitignore', 'a/.gitmodules', 'git', 'x.git/y', 'digit~1', '..a', 'a/b.yaml'])
  test(`a tree offers ${path}`, () => assert.ok(isSafePath(path)))

test('a path cannot leave the folder that it is joined to', () => {
  const cases = ['../../x', 'a/../../b', './a//b/', '..', '/etc/passwd'].map(cleanPath)
  assert.deepEqual(cases, ['x', 'b', 'a/b', '', 'etc/passwd'])
})

test('what was signed of a commit is all but the signature', () => {
  const bytes = Buffer.from(
    'tree a\nauthor x\ngpgsig -----BEGIN SSH SIGNATURE-----\n AAA\n -----END SSH SIGNATURE-----\nencoding y\n\nsubject\n\ngpgsig is no header here\n',
  )
  const { payload, signature, type } = splitCommit(bytes)
  assert.equal(payload.toString(), 'tree a\nauthor x\nencoding y\n\nsubject\n\ngpgsig is no header here\n')
  assert.equal(signature, '-----BEGIN SSH SIGNATURE-----\nAAA\n-----END SSH SIGNATURE-----\n')
  assert.equal(type, 'ssh')
  assert.equal(splitCommit(Buffer.from('tree a\n\nx')).type, 'empty')
  assert.equal(
    splitTag(Buffer.from('object a\n\nx\n-----BEGIN PGP SIGNATURE-----\n\nA\n-----END PGP SIGNATURE-----\n')).type,
    'openpgp',
  )
})
