import assert from 'node:assert/strict'
import { test } from 'node:test'
import { missedPushes, type RefSeen, unrecordedPushes } from './missed-pushes.ts'

const NEVER = '0'.repeat(40)
const main: RefSeen = { repository: 'app', ref: 'refs/heads/main', commit: 'new' }
const pull: RefSeen = { repository: 'app', ref: 'refs/for/main', pull: 3, commit: 'new' }

const cases: { it: string; refs: RefSeen[]; told: string | undefined; want: object[] }[] = [
  {
    it: 'tells every ref of a new repository',
    refs: [main],
    told: undefined,
    want: [{ ref: main.ref, before: NEVER, after: 'new' }],
  },
  {
    it: 'tells a ref that moved since',
    refs: [main],
    told: 'old',
    want: [{ ref: main.ref, before: 'old', after: 'new' }],
  },
  { it: 'tells nothing twice', refs: [main, pull], told: 'new', want: [] },
  {
    it: 'tells a pull request with its number',
    refs: [pull],
    told: undefined,
    want: [{ ref: pull.ref, pull: 3, after: 'new' }],
  },
]
for (const { it, refs, told, want } of cases)
  test(`missed pushes: ${it}`, () => {
    const found = missedPushes(refs, () => told)
    assert.equal(found.length, want.length)
    found.forEach((push, index) => assert.deepEqual({ ...push, ...want[index] }, push))
  })

const event = {
  name: 'push',
  ref: main.ref,
  before: NEVER,
  commit: 'ran',
  actor: 'ada',
  message: '',
  changedPaths: [],
} as const
const lost: { it: string; refs: RefSeen[]; known: string[]; want: string[] }[] = [
  {
    it: 'names what a run was for and what a ref is at, the oldest first',
    refs: [main],
    known: [],
    want: ['ran', 'new'],
  },
  { it: 'names nothing that the record has', refs: [main], known: ['ran', 'new'], want: [] },
  { it: 'knows a tag by its commit', refs: [{ ...main, commit: 'tag', peeled: 'ran' }], known: ['ran'], want: [] },
  {
    it: 'names a commit once',
    refs: [
      { ...main, commit: 'ran' },
      { ...pull, commit: 'ran' },
    ],
    known: [],
    want: ['ran'],
  },
]
for (const { it, refs, known, want } of lost)
  test(`unrecorded pushes: ${it}`, () => {
    const found = unrecordedPushes(refs, { runs: [{ repository: 'app', event }], taken: [] }, (commit) =>
      known.includes(commit),
    )
    assert.deepEqual(
      found.map(({ after }) => after),
      want,
    )
  })

test('unrecorded pushes: a push that the runner took is that of who made it', () => {
  const taken = [{ repository: 'app', ref: main.ref, before: 'old', after: 'new', user: 'ann' }]
  assert.deepEqual(
    unrecordedPushes([main], { runs: [], taken }, () => false),
    taken,
  )
})
