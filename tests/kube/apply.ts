import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Place } from './place.ts'
import type { Answer } from './server.ts'

const APPLY = 'application/apply-patch+yaml'

/** Server-side apply: ownership, conflicts, what goes when it is no longer applied. */
export function applyTests(inNamespace: () => Promise<Place>): void {
  const applier = async (): Promise<(manager: string, data: object, query?: string) => Promise<Answer>> => {
    const { api, namespace } = await inNamespace()
    return (manager, data, query = '') =>
      api.call(
        'PATCH',
        `/api/v1/namespaces/${namespace}/configmaps/m?fieldManager=${manager}${query}`,
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, data },
        APPLY,
      )
  }

  test('an apply creates, a second one changes nothing, not even a time', async () => {
    const apply = await applier()
    const first = await apply('one', { a: '1' })
    assert.equal(first.code, 201)
    assert.equal((await apply('one', { a: '1' })).text, first.text)
    assert.equal((await apply('one', { a: '1' }, '&dryRun=All')).text, first.text)
  })

  test('what somebody else owns is not taken without force', async () => {
    const apply = await applier()
    await apply('one', { a: '1', b: '1' })
    const refused = await apply('two', { a: '2' })
    assert.equal(refused.code, 409)
    assert.match(refused.body.message ?? '', /conflict with "one": \.data\.a/)
    assert.deepEqual((await apply('two', { a: '2' }, '&force=true')).body.data, { a: '2', b: '1' })
    assert.deepEqual((await apply('one', { b: '1' })).body.data, { a: '2', b: '1' })
    assert.deepEqual((await apply('two', {})).body.data, { b: '1' })
  })

  test('what two apply goes with the last of them', async () => {
    const apply = await applier()
    await apply('one', { a: '1', b: '1' })
    await apply('two', { a: '1' })
    assert.deepEqual((await apply('one', {})).body.data, { a: '1' })
    assert.equal((await apply('two', {})).body.data, undefined)
  })

  test('items of a list with keys are merged, those of others stay where they are', async () => {
    const { api, namespace } = await inNamespace()
    const apply = (manager: string, ...names: string[]): Promise<Answer> =>
      api.call(
        'PATCH',
        `/apis/apps/v1/namespaces/${namespace}/deployments/d?fieldManager=${manager}`,
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'd' },
          spec: {
            replicas: 0,
            selector: { matchLabels: { app: 'x' } },
            template: {
              metadata: { labels: { app: 'x' } },
              spec: { containers: names.map((name) => ({ name, image: `image-${name}` })) },
            },
          },
        },
        APPLY,
      )
    const names = ({ body }: Answer): unknown =>
      (body.spec as { template: { spec: { containers: { name: string }[] } } }).template.spec.containers.map(
        ({ name }) => name,
      )
    assert.deepEqual(names(await apply('one', 'a', 'c')), ['a', 'c'])
    assert.deepEqual(names(await apply('two', 'b', 'c')), ['a', 'b', 'c'])
    assert.deepEqual(names(await apply('one', 'c')), ['b', 'c'])
  })
}
