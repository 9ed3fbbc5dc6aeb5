import assert from 'node:assert/strict'
import { test } from 'node:test'
import { abortAfter } from '../../../machine/timers.ts'
import { refspecTargets } from './refspec-targets.ts'

const MAIN = 'a'.repeat(40)
const AUTO = 'b'.repeat(40)
const refs = [
  { name: 'refs/heads/main', commit: MAIN },
  { name: 'refs/heads/auto', commit: AUTO },
]

/** `auto` goes on from `main`; nothing else leads anywhere. */
const isAncestor = async (_url: string, commit: string, tip: { branch: string; commit: string }): Promise<boolean> =>
  commit === MAIN && tip.branch === 'auto' && tip.commit === AUTO

type Move = { readonly ref: string; readonly isForced: boolean; readonly commit?: string; readonly expected?: string }
const cases: readonly [it: string, refspec: string | undefined, pushBranch: string, want: readonly Move[] | string][] =
  [
    ['none is asked for', undefined, 'auto', []],
    ['the refspec is none', 'nonsense', 'auto', []],
    ['a new ref', 'refs/heads/auto:refs/heads/copy', 'auto', [{ ref: 'refs/heads/copy', isForced: false }]],
    [
      'a ref that is only moved on',
      'refs/heads/auto:refs/heads/main',
      'auto',
      [{ ref: 'refs/heads/main', isForced: false, expected: MAIN }],
    ],
    [
      'the branch itself',
      'refs/heads/auto:refs/heads/auto',
      'auto',
      [{ ref: 'refs/heads/auto', isForced: false, expected: AUTO }],
    ],
    [
      'a ref with commits of its own',
      'refs/heads/main:refs/heads/auto',
      'main',
      'failed to push to remote: non-fast-forward update: refs/heads/auto',
    ],
    ['the same by force', '+refs/heads/main:refs/heads/auto', 'main', [{ ref: 'refs/heads/auto', isForced: true }]],
    [
      'the checked-out branch beside the pushed one',
      'refs/heads/main:refs/heads/stable',
      'auto',
      [{ ref: 'refs/heads/stable', isForced: false, commit: MAIN }],
    ],
  ]
for (const [it, pushRefspec, pushBranch, want] of cases)
  test(`push.refspec ${pushRefspec ?? ''}: ${it}`, async () => {
    const wish = {
      automation: { pushRefspec },
      source: { url: 'https://git.example.com/app.git', timeoutMs: 1000 },
      mirror: { isAncestor },
      login: { git: {} },
      ref: { branch: 'main' },
      pushBranch,
      within: abortAfter,
    }
    const selected = { fetch: 'refs/heads/main', commit: MAIN, pointer: 'main' }
    const expected = pushBranch === 'auto' ? AUTO : MAIN
    const asked = refspecTargets(wish, { selected, base: expected, expected, isBehind: false, refs })
    if (typeof want === 'string') await assert.rejects(asked, { message: want })
    else assert.deepEqual(await asked, want)
  })
