import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../support/wait.ts'
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

  test('custom resources are selected by the fields that their definition names, in the version that names them', async () => {
    const { api, namespace } = await inNamespace()
    const group = `${namespace}.example.com`
    const defined = await api.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', shirts(group))
    assert.equal(defined.code, 201, JSON.stringify(defined.body))
    const shirtsIn = (version: string): string => `/apis/${group}/${version}/namespaces/${namespace}/shirts`
    await until('the kind is served', async () => (await api.call('GET', shirtsIn('v1'))).code === 200)
    for (const [name, spec] of [
      ['a', { color: 'blue', size: 3, isWashed: true }],
      ['b', { color: 'red' }],
    ] as const)
      await api.call('POST', shirtsIn('v1'), {
        apiVersion: `${group}/v1`,
        kind: 'Shirt',
        metadata: { name },
        spec,
      })
    const cases: [version: string, selector: string, want: string[] | 400][] = [
      ['v1', 'spec.color=blue', ['a']],
      ['v1', 'spec.color!=blue', ['b']],
      ['v1', 'spec.size=3,spec.isWashed=true', ['a']],
      ['v1', 'spec.size=0', []],
      ['v1', 'spec.isWashed=', ['b']],
      ['v1', 'spec.other=x', 400],
      ['v2', 'spec.color=red', ['b']],
      ['v2', 'spec.size=3', 400],
    ]
    for (const [version, selector, want] of cases) {
      const answer = await api.call('GET', `${shirtsIn(version)}?fieldSelector=${encodeURIComponent(selector)}`)
      assert.deepEqual(answer.code === 400 ? 400 : namesIn(answer.body), want, `${version} ${selector}`)
    }
    await api.call('DELETE', `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/shirts.${group}`)
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

function shirts(group: string): Record<string, unknown> {
  const version = (name: string, types: Readonly<Record<string, string>>): unknown => {
    const properties = Object.fromEntries(Object.entries(types).map(([field, type]) => [field, { type }]))
    return {
      name,
      served: true,
      storage: name === 'v1',
      schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } } },
      selectableFields: Object.keys(types).map((field) => ({ jsonPath: `.spec.${field}` })),
    }
  }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `shirts.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'shirts', singular: 'shirt', kind: 'Shirt' },
      versions: [
        version('v1', { color: 'string', size: 'integer', isWashed: 'boolean' }),
        version('v2', { color: 'string' }),
      ],
    },
  }
}
