import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRepoSpec } from './repo-spec.ts'

const cases: { url: string; want: readonly [cloneUrl: string, path: string, ref?: string] | undefined }[] = [
  { url: 'github.com/org/repo/a/b?ref=v1', want: ['https://github.com/org/repo', 'a/b', 'v1'] },
  { url: 'GitHub.com/org/repo//a?version=v2', want: ['https://github.com/org/repo', 'a', 'v2'] },
  { url: 'git@github.com:org/repo.git/a', want: ['git@github.com:org/repo.git', 'a'] },
  { url: 'ssh://git@github.com/org/repo/a', want: ['git@github.com:org/repo', 'a'] },
  { url: 'ssh://git@host:22/org/repo.git//a', want: ['ssh://git@host:22/org/repo.git', 'a'] },
  { url: 'git::https://gitlab.com/org/repo//a/b', want: ['https://gitlab.com/org/repo', 'a/b'] },
  { url: 'https://host/org/project/_git/repo/a', want: ['https://host/org/project/_git/repo', 'a'] },
  { url: 'file:///srv/repo//a?ref=main', want: ['file:///srv/repo', 'a', 'main'] },
  { url: 'package@v1.example/configs/base', want: ['package@v1.example/configs/base', ''] },
  { url: 'https://host/only', want: undefined },
  { url: 'https://host/org/repo//../x', want: undefined },
  { url: 'ext::sh -c id', want: undefined },
  { url: '-u:a/b', want: undefined },
  { url: '/abs/path', want: undefined },
  { url: '../base', want: undefined },
]

for (const { url, want } of cases)
  test(`repository of ${url}`, () => {
    const spec = parseRepoSpec(url)
    assert.deepEqual(spec && [spec.cloneUrl, spec.path, spec.ref], want && [want[0], want[1], want[2] ?? ''])
  })

test('repository: a timeout is seconds or a duration, anything else 27 s', () => {
  const timeout = (text: string): number | undefined => parseRepoSpec(`github.com/a/b?timeout=${text}`)?.timeoutMs
  assert.deepEqual(['5', '1m30s', '0', 'x'].map(timeout), [5000, 90_000, 27_000, 27_000])
})
