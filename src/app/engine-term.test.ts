import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openTerm } from './engine-term.ts'

test('an engine writes while it leads, and nothing once it has ended, though this process leads again', async (t) => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const dir = mkdtempSync(join(tmpdir(), 'sluice-term-'))
  t.after(() => {
    server.close()
    rmSync(dir, { recursive: true })
  })
  const kubeconfig = join(dir, 'config')
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  writeFileSync(
    kubeconfig,
    `clusters: [{name: c, cluster: {server: '${address}'}}]\ncontexts: [{name: c, context: {cluster: c}}]\ncurrent-context: c\n`,
  )
  let isLeading = true
  const { client, end } = openTerm(kubeconfig, () => isLeading)
  const write = (path: string): Promise<unknown> => client.raw('POST', path, {})
  await write('/first')
  isLeading = false
  await assert.rejects(write('/lost'), { code: 'NOT_LEADING' })
  isLeading = true
  end()
  await assert.rejects(write('/late'), { code: 'NOT_LEADING' })
  assert.deepEqual(asked, ['POST /first'])
})
