import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
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

test('a body that fails on its way is logged and cuts its answer off, and nothing else', async (t) => {
  const body = (): ReadableStream =>
    new ReadableStream({
      pull(controller) {
        controller.error(new Error('the record is gone'))
      },
    })
  const broken = { method: 'GET', path: '/live', role: 'viewer', handle: () => new Response(body()) } as const
  const lines: string[] = []
  const page = await servePage(0, [broken], '', (line) => void lines.push(line))
  t.after(() => page.close())
  await assert.rejects(fetch(`${page.url}live`).then((answer) => answer.text()))
  assert.match(lines.join(), /^page: \/live: .*the record is gone/)
})

test('what is no path is not found, and nothing is logged of it', async (t) => {
  const lines: string[] = []
  const page = await servePage(0, [], '', (line) => void lines.push(line))
  t.after(() => page.close())
  const [answer] = (await once(get(page.url, { path: '//' }), 'response')) as [IncomingMessage]
  answer.resume()
  assert.deepEqual([answer.statusCode, lines], [404, []])
})
