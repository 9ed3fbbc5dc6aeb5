import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertLinear } from '../../../../tests/support/cpu-time.ts'
import { warningsOfPaths } from './volume-paths.ts'

const item = (path: string) => ({ key: 'k', path })
const cases = [
  { it: 'nothing of different paths', volume: { configMap: { name: 'c', items: [item('a'), item('b')] } }, want: [] },
  {
    it: 'the same path twice',
    volume: { configMap: { name: 'c', items: [item('a'), item('a/')] } },
    want: ['volume "v" (ConfigMap "c"): overlapping paths: "a" with "a"'],
  },
  {
    it: 'a path below another, by source',
    volume: {
      projected: { sources: [{ serviceAccountToken: { path: 'a/b' } }, { secret: { name: 's', items: [item('a')] } }] },
    },
    want: ['volume "v" (Projected): overlapping paths: "a" (Secret "s") with "a/b" (ServiceAccountToken)'],
  },
  {
    it: 'each path with those before it, in their order',
    volume: { configMap: { name: 'c', items: ['a/b', 'a-b', 'a', 'a/c/d', 'a'].map(item) } },
    want: ['"a" with "a/b"', '"a/c/d" with "a"', '"a" with "a"', '"a" with "a/c/d"'].map(
      (text) => `volume "v" (ConfigMap "c"): overlapping paths: ${text}`,
    ),
  },
  {
    it: 'a source without anything',
    volume: { projected: { sources: [{}] } },
    want: ['volume "v" (Projected) has no sources provided'],
  },
]
for (const { it, volume, want } of cases)
  test(`volumes: ${it}`, () => assert.deepEqual(warningsOfPaths({ name: 'v', ...volume }), want))

test('volumes: a path of many slashes takes time that grows with it', () =>
  assertLinear((size) => {
    const path = `a${'/'.repeat(size)}b`
    assert.deepEqual(warningsOfPaths({ name: 'v', configMap: { name: 'c', items: [item(path)] } }), [])
  }, 200_000))

const many: readonly { it: string; paths: (size: number) => string[] }[] = [
  { it: 'different files', paths: (size) => Array.from({ length: size }, (_, n) => `f${n}`) },
  { it: 'the same file', paths: (size) => Array.from({ length: size }, () => 'f') },
  { it: 'files of one folder', paths: (size) => ['f', ...Array.from({ length: size }, (_, n) => `f/${n}`)] },
  {
    it: 'the folder of files',
    paths: (size) => [...Array.from({ length: size }, () => 'f'), ...Array.from({ length: size }, (_, n) => `f/${n}`)],
  },
]
for (const { it, paths } of many)
  test(`volumes: ${it}, many times, take time that grows with them`, () =>
    assertLinear((size) => {
      const items = paths(size).map(item)
      assert.ok(warningsOfPaths({ name: 'v', configMap: { name: 'c', items } }).length <= 200)
    }, 10_000))
