import assert from 'node:assert/strict'
import { test } from 'node:test'
import { liveRoute } from './live.ts'

test('a reader gets the value at once, and the newest after many changes', async () => {
  let value = 1
  let changed = (): void => {}
  const route = liveRoute('/live', {
    current: () => value,
    subscribe: (handler) => {
      changed = handler
      return () => (changed = () => {})
    },
  })
  const response = await route.handle(new Request('http://127.0.0.1/live'), {})
  const reader = response.body!.getReader()
  const next = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value)
  assert.equal(await next(), 'data: 1\n\n')
  for (value = 2; value < 5; value++) changed()
  assert.equal(await next(), 'data: 5\n\n')
  await reader.cancel()
})
