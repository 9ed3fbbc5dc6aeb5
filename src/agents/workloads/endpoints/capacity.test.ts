import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withinCapacity } from './capacity.ts'
import type { Subset } from './endpoints.ts'

type Addresses = NonNullable<Subset['addresses']>
const many = (count: number): Addresses =>
  Array.from({ length: count }, (_, at) => ({
    ip: `10.0.${at >> 8}.${at & 255}`,
    targetRef: { kind: 'Pod', namespace: 'a', name: `p${at}`, uid: `p${at}` },
  }))
const cases: {
  it: string
  has: [ready: number, notReady: number][]
  want: [ready: number, notReady: number][] | 'all'
}[] = [
  { it: 'all that there are', has: [[990, 10]], want: 'all' },
  { it: 'no more than there is room for', has: [[1001, 0]], want: [[1000, 0]] },
  { it: 'the ready ones first', has: [[1000, 5]], want: [[1000, 0]] },
  { it: 'of the others what fits', has: [[990, 20]], want: [[990, 10]] },
  {
    it: 'of each subset its share',
    has: [
      [1500, 4],
      [500, 4],
    ],
    want: [
      [750, 0],
      [250, 0],
    ],
  },
  {
    it: 'shares rounded up, as long as there is room',
    has: [
      [0, 999],
      [0, 500],
      [0, 2],
    ],
    want: [
      [0, 666],
      [0, 334],
      [0, 0],
    ],
  },
]
for (const { it, has, want } of cases)
  test(`endpoints list ${it}`, () => {
    const subsets = has.map(([ready, notReady]) => ({ addresses: many(ready), notReadyAddresses: many(notReady) }))
    const { subsets: kept, isTruncated } = withinCapacity(subsets)
    const counts = kept.map(({ addresses = [], notReadyAddresses = [] }) => [
      addresses.length,
      notReadyAddresses.length,
    ])
    assert.deepEqual(counts, want === 'all' ? has : want)
    assert.equal(isTruncated, want !== 'all')
  })
