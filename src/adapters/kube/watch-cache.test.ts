import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '../../../tests/support/manual-clock.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import type { AbsorbingCache, KubeClient, WatchEvent } from './types.ts'
import { watchCache } from './watch-cache.ts'

const pod = (version: string, uid = 'u'): KubeObject => ({
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'a', name: 'p', uid, resourceVersion: version } },
})

/** A copy of a list that was read at version 10, and what its watch tells. */
async function open(items: readonly KubeObject[]) {
  let tell: (event: WatchEvent) => void = () => undefined
  const client: Pick<KubeClient, 'list' | 'watch'> = {
    list: async () => ({ items, resourceVersion: '10' }),
    watch: (_selection, _version, onEvent, signal) => {
      tell = onEvent
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
    },
  }
  const cache = watchCache(client as KubeClient, { apiVersion: 'v1', kind: 'Pod' }, { clock: manualClock() })
  await cache.ready
  return { cache, tell: (type: WatchEvent['type'], object: KubeObject) => tell({ type, object }) }
}
type Opened = Awaited<ReturnType<typeof open>>

const here = (cache: AbsorbingCache): string | undefined => cache.get('a', 'p')?.metadata.resourceVersion

const cases: { it: string; items?: KubeObject[]; run: (opened: Opened) => void; want: string | undefined }[] = [
  { it: 'has what was created before the watch tells of it', run: ({ cache }) => cache.absorb(pod('11')), want: '11' },
  {
    it: 'keeps what is newer than an answer',
    items: [pod('5')],
    run({ cache, tell }) {
      tell('MODIFIED', pod('12'))
      cache.absorb(pod('11'))
    },
    want: '12',
  },
  {
    it: 'takes an answer about what is here, though others were told of since',
    items: [pod('5')],
    run({ cache, tell }) {
      tell('BOOKMARK', pod('20'))
      cache.absorb(pod('11'))
    },
    want: '11',
  },
  {
    it: 'does not bring back what has ended before the answer to its last write came',
    items: [pod('5')],
    run({ cache, tell }) {
      tell('MODIFIED', pod('11'))
      tell('DELETED', pod('12'))
      cache.absorb(pod('11'))
    },
    want: undefined,
  },
  {
    it: 'has what is made anew under the name',
    items: [pod('5')],
    run({ cache, tell }) {
      tell('DELETED', pod('12'))
      cache.absorb(pod('13', 'other'))
      cache.absorb(pod('11'))
    },
    want: '13',
  },
  {
    it: 'forgets what was deleted, whatever is told of it late',
    items: [pod('5')],
    run({ cache, tell }) {
      cache.absorbDeletion(pod('5'))
      tell('MODIFIED', pod('11'))
    },
    want: undefined,
  },
]
for (const { it, items = [], run, want } of cases)
  test(`a live copy ${it}`, async () => {
    const opened = await open(items)
    run(opened)
    assert.equal(here(opened.cache), want)
    assert.equal(opened.cache.list().length, want === undefined ? 0 : 1)
    opened.cache.close()
  })
