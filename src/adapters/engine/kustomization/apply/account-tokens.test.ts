import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '../../../../../tests/support/manual-clock.ts'
import type { KubeClient } from '../../../kube/types.ts'
import { openAccountTokens } from './account-tokens.ts'

const MINUTE_MS = 60_000

/** An API server that numbers its tokens, and an account of which a test may make another. */
function world(status = 201) {
  const clock = manualClock()
  let asked = 0
  let uid = 'first'
  const client: Partial<KubeClient> = {
    get: async ({ apiVersion, kind, name = '', namespace }) => ({
      apiVersion,
      kind,
      metadata: { name, uid, ...(namespace !== undefined && { namespace }) },
    }),
    raw: async (_method, path) => ({
      status,
      text: JSON.stringify(
        status < 400
          ? { kind: 'TokenRequest', status: { token: `${++asked} of ${path.split('/').at(-2)}` } }
          : { kind: 'Status', message: 'no such account' },
      ),
    }),
  }
  const tokens = openAccountTokens({ client: client as KubeClient, clock })
  return { clock, tokens, remake: () => void (uid = 'second') }
}

test('a token is used for most of its life', async () => {
  const { clock, tokens } = world()
  assert.equal(await tokens('ns', 'app', ['a']), '1 of app')
  clock.advance(47 * MINUTE_MS)
  assert.equal(await tokens('ns', 'app', ['a']), '1 of app')
  clock.advance(MINUTE_MS)
  assert.equal(await tokens('ns', 'app', ['a']), '2 of app')
})

test('a clock that is set back lets no token be used for longer than its life', async () => {
  const { clock, tokens } = world()
  await tokens('ns', 'app', ['a'])
  clock.set(-1440 * MINUTE_MS)
  clock.advance(47 * MINUTE_MS)
  assert.equal(await tokens('ns', 'app', ['a']), '1 of app')
  clock.advance(MINUTE_MS)
  assert.equal(await tokens('ns', 'app', ['a']), '2 of app')
})

test('who asks at once gets the same token', async () => {
  const { tokens } = world()
  const asked = await Promise.all([1, 2, 3].map(() => tokens('ns', 'app', ['a'])))
  assert.deepEqual(asked, ['1 of app', '1 of app', '1 of app'])
})

test('other audiences, accounts and an account that was made anew have tokens of their own', async () => {
  const { tokens, remake } = world()
  await tokens('ns', 'app', ['a'])
  assert.equal(await tokens('ns', 'app', ['b']), '2 of app')
  assert.equal(await tokens('ns', 'other', ['a']), '3 of other')
  remake()
  assert.equal(await tokens('ns', 'app', ['a']), '4 of app')
})

test('a refusal is told with the account, and nothing is kept', async () => {
  const { tokens } = world(404)
  const refused = /failed to create a token of service account 'ns\/app': no such account/
  await assert.rejects(tokens('ns', 'app', ['a']), refused)
  await assert.rejects(tokens('ns', 'app', ['a']), refused)
})
