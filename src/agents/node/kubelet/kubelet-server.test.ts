import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import { test, type TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../../adapters/clock.ts'
import { type LogSource, serveKubelet } from './kubelet-server.ts'

const PART_BYTES = 8 << 20

/** What a node that has this log answers to somebody who follows it. */
async function asked(t: TestContext, log: LogSource | string): Promise<IncomingMessage> {
  const server = await serveKubelet({
    name: 'node',
    clock: systemClock,
    find: () => log,
    targets: { driver: () => assert.fail(), container: () => 'none', pod: () => 'none' },
    pods: () => [],
    sampler: { measure: () => assert.fail(), close: () => undefined },
    gate: async () => ({ isLetIn: true }),
    caPem: undefined,
  })
  t.after(() => server.close())
  return new Promise<IncomingMessage>((resolve, reject) => {
    const url = `https://127.0.0.1:${server.port}/containerLogs/ns/pod/web?follow=true`
    https.get(url, { rejectUnauthorized: false, agent: false }, resolve).on('error', reject)
  })
}

/** The same of a log in a new folder. */
async function follow(
  t: TestContext,
  isAlive: () => boolean,
): Promise<{ readonly path: string; readonly answer: IncomingMessage }> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-kubelet-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'log')
  writeFileSync(path, '')
  return { path, answer: await asked(t, { path, isAlive }) }
}

test('why there is no log is said in a way that an API server hands on', async (t) => {
  const answer = await asked(t, 'container "web" in pod "pod" is waiting to start')
  // of a 404 it says only that there is no such resource
  assert.equal(answer.statusCode, 400)
  assert.equal(await text(answer), 'container "web" in pod "pod" is waiting to start\n')
})

test('of a log that somebody follows and does not read, what comes stays in its file', async (t) => {
  let isAlive = true
  const { path, answer } = await follow(t, () => isAlive)
  const line = `2026-11-28T00:00:00.000000000Z stdout F ${'x'.repeat(1000)}\n`
  for (let part = 0; part < 4; part++) {
    appendFileSync(path, line.repeat(PART_BYTES / line.length))
    await pause(400)
  }
  writeFileSync(path, '')
  isAlive = false
  let size = 0
  for await (const chunk of answer) size += chunk.length
  assert.ok(size < 2 * PART_BYTES, `${size} bytes were held for who does not read`)
})

test('a log that cannot be read any more ends who follows it, and not the node', async (t) => {
  const { path, answer } = await follow(t, () => true)
  rmSync(path)
  // opens, and gives no bytes
  mkdirSync(path)
  answer.resume()
  await assert.rejects(finished(answer))
})
