import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Concurrency } from '../../pipeline/ci/concurrency.ts'
import { openGroups } from './groups.ts'

type Step = { readonly name: string; readonly with?: Partial<Concurrency> }

/** Lets each enter, then ends whoever runs, again and again; tells what happened in order. */
async function play(steps: readonly Step[]): Promise<string[]> {
  const groups = openGroups()
  const told: string[] = []
  const ends = new Map<string, () => void>()
  const entered: Promise<void>[] = []
  for (const { name, with: fields } of steps) {
    const entry = groups.enter<void>({
      concurrency: { group: 'deploy', cancelsRunning: false, keepsQueue: false, ...fields },
      signal: new AbortController().signal,
      begin: (signal) =>
        new Promise((resolve) => {
          told.push(`${name} begins`)
          ends.set(name, resolve)
          signal.addEventListener('abort', () => (told.push(`${name} is cancelled`), resolve()))
        }),
      displaced: () => void told.push(`${name} is displaced`),
    })
    entered.push(entry)
    await new Promise((later) => setImmediate(later))
  }
  for (const { name } of steps) {
    await new Promise((later) => setImmediate(later))
    ends.get(name)?.()
  }
  await Promise.all(entered)
  return told
}

const newest = { cancelsRunning: true }
const all = { keepsQueue: true }
const plays: { it: string; steps: Step[]; want: string[] }[] = [
  { it: 'one after the other', steps: [{ name: 'a' }, { name: 'b' }], want: ['a begins', 'b begins'] },
  {
    it: 'the newest that waits takes the place of the one before',
    steps: [{ name: 'a' }, { name: 'b' }, { name: 'c' }],
    want: ['a begins', 'b is displaced', 'c begins'],
  },
  {
    it: 'all that wait, when the queue is kept',
    steps: [{ name: 'a' }, { name: 'b', with: all }, { name: 'c', with: all }],
    want: ['a begins', 'b begins', 'c begins'],
  },
  {
    it: 'what runs is cancelled where the newer one says so',
    steps: [{ name: 'a' }, { name: 'b', with: newest }],
    want: ['a begins', 'a is cancelled', 'b begins'],
  },
  {
    it: 'other groups are not concerned',
    steps: [{ name: 'a' }, { name: 'b', with: { ...newest, group: 'other' } }],
    want: ['a begins', 'b begins'],
  },
]
for (const { it, steps, want } of plays)
  test(`a group lets in ${it}`, async () => assert.deepEqual((await play(steps)).sort(), [...want].sort()))
