import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseReport, selectEvents, type RefCommand } from './commands.ts'
import { FLUSH, packet, takePackets } from './pktline.ts'

const of = (kind: string, count: number): RefCommand[] =>
  Array.from({ length: count }, (_, index) => ({ ref: `refs/${kind}/${index}`, before: '0', after: '1' }))

test('every ref of a push is told', () => {
  const commands = [...of('tags', 2_500), ...of('heads', 2_500)]
  assert.deepEqual(selectEvents(commands), commands)
})

test('of a repository that moves in as a whole 5,000 refs are told, branches first', () => {
  const told = selectEvents([...of('tags', 20_000), ...of('heads', 7)])
  assert.deepEqual(told, [...of('heads', 7), ...of('tags', 4_993)])
})

test('a report is read whole or not at all', () => {
  const whole = Buffer.concat(['unpack ok\n', 'ok refs/heads/a\n', 'ng refs/heads/b no\n'].map(packet).concat(FLUSH))
  const refs = (bytes: Buffer): object => [...parseReport(takePackets(bytes)?.packets ?? [])]
  assert.deepEqual(refs(whole), [
    ['refs/heads/a', null],
    ['refs/heads/b', 'no'],
  ])
  for (let size = 0; size < whole.length; size++) assert.deepEqual(refs(whole.subarray(0, size)), [])
})
