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
