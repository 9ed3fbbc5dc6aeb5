import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Place } from './place.ts'
import type { Body } from './server.ts'

const namesIn = ({ items = [] }: Body): string[] => items.map(({ metadata }) => metadata.name)

/** Lists: order, selectors, pages that stay what they were. */
export function listTests(inNamespace: () => Promise<Place>): void {
  const filled = async (count: number): Promise<Place & { secrets: string }> => {
    const { api, namespace } = await inNamespace()
    // Of Secrets a fresh namespace has none.
    const secrets = `/api/v1/namespaces/${namespace}/secrets`
    for (let index = 0; index < count; index++)
      await api.call('POST', secrets, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: `m${index}`, labels: { half: index % 2 === 0 ? 'even' : 'odd', [`is-${index}`]: '' } },
      })
    return { api, namespace, secrets }
  }

  test('labels and fields select', async () => {
    const { api, secrets } = await filled(6)
    const cases: [query: string, want: string[]][] = [
      ['labelSelector=half%3Deven', ['m0', 'm2', 'm4']],
      ['labelSelector=half!%3Deven,!is-1', ['m3', 'm5']],
      ['labelSelector=half+in+(even,odd),is-3', ['m3']],
      ['labelSelector=half+notin+(odd)', ['m0', 'm2', 'm4']],
      ['labelSelector=is-3%3D', ['m3']],
      ['labelSelector=half%3Dnone', []],
      ['fieldSelector=metadata.name%3Dm4', ['m4']],
      ['fieldSelector=metadata.name!%3Dm4&labelSelector=half%3Deven', ['m0', 'm2']],
    ]
    for (const [query, want] of cases)
      assert.deepEqual(namesIn((await api.call('GET', `${secrets}?${query}`)).body), want, query)
    // A label that moves is found where it is.
    await api.call('PATCH', `${secrets}/m0`, { metadata: { labels: { half: 'none' } } }, 'application/merge-patch+json')
    assert.deepEqual(namesIn((await api.call('GET', `${secrets}?labelSelector=half%3Dnone`)).body), ['m0'])
    assert.deepEqual(namesIn((await api.call('GET', `${secrets}?labelSelector=half%3Deven`)).body), ['m2', 'm4'])
    assert.equal((await api.call('GET', `${secrets}?labelSelector=a%3D%3D%3D`)).code, 400)
  })

  test('further pages show the state of the first one', async () => {
    const { api, secrets } = await filled(6)
    const first = (await api.call('GET', `${secrets}?limit=2`)).body
    assert.deepEqual([namesIn(first), first.metadata.remainingItemCount], [['m0', 'm1'], 4])
    await api.call('DELETE', `${secrets}/m3`)
    await api.call('PATCH', `${secrets}/m2`, { data: { late: 'eWVz' } }, 'application/merge-patch+json')
    await api.call('POST', secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'm30' } })
    const token = String(first.metadata.continue)
    const second = (await api.call('GET', `${secrets}?limit=2&continue=${encodeURIComponent(token)}`)).body
    assert.deepEqual([namesIn(second), second.items?.[0]?.data], [['m2', 'm3'], undefined])
    assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion)
    const rest = `${secrets}?continue=${encodeURIComponent(String(second.metadata.continue))}`
    const third = (await api.call('GET', rest)).body
    assert.deepEqual([namesIn(third), third.metadata.continue], [['m4', 'm5'], undefined])
    const exact = `${secrets}?resourceVersion=${first.metadata.resourceVersion}&resourceVersionMatch=Exact`
    assert.deepEqual(namesIn((await api.call('GET', exact)).body), ['m0', 'm1', 'm2', 'm3', 'm4', 'm5'])
    assert.deepEqual(namesIn((await api.call('GET', secrets)).body), ['m0', 'm1', 'm2', 'm30', 'm4', 'm5'])
  })

  test('a collection is deleted by selector', async () => {
    const { api, secrets } = await filled(4)
    assert.equal((await api.call('DELETE', `${secrets}?labelSelector=half%3Dodd`)).code, 200)
    assert.deepEqual(namesIn((await api.call('GET', secrets)).body), ['m0', 'm2'])
  })
}
