import assert from 'node:assert/strict'
import { test } from 'node:test'
import { liveRoute } from './live.ts'
import { servePage } from './serve-page.ts'

test('who only asks for the head of a live value is not told of its changes for ever', async (t) => {
  let hearers = 0
  const live = liveRoute('/live', {
    current: () => 1,
    subscribe: () => {
      hearers++
      return () => void hearers--
    },
  })
  const page = await servePage(0, [live], '', () => undefined)
  t.after(() => page.close())
  const { status } = await fetch(`${page.url}live`, { method: 'HEAD' })
  assert.deepEqual({ status, hearers }, { status: 200, hearers: 0 })
})
