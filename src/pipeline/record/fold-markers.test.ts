import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foldFacts } from '../../../tests/support/fold-facts.ts'
import type { FactBody, MarkedChoice } from './fact.ts'
import { isNews } from './news.ts'
import { cellsOf } from './query.ts'

const IMAGE = 'registry.sluice.local/web'
const W = 'd'.repeat(40)
const problem = 'environments/staging/kustomization.yaml:33: "staging:wep:tag" names no ImagePolicy (known here: web)'

const selects = (tag: string): FactBody => ({
  ...{ kind: 'policy', policy: 'staging/web', image: IMAGE, tag, considered: 2 },
})
const looked = (isMarked: boolean, problems?: string, automation = 'staging/web', tag = '2'): FactBody => {
  const choices: readonly MarkedChoice[] = [{ policy: 'web', image: IMAGE, tag, isMarked }]
  return { kind: 'markers', automation, choices, ...(problems === undefined ? {} : { problems }) }
}
const writeBack: FactBody = {
  ...{ kind: 'write-back', automation: 'staging/web', branch: 'develop', commit: W },
  images: [{ image: IMAGE, tag: '2' }],
}
const run = (state: 'running' | 'succeeded'): FactBody => ({
  ...{ kind: 'run', runId: '1', workflow: 'Build', event: 'push', ref: 'refs/heads/develop', commit: W, state },
})
const image: FactBody = { kind: 'image', image: IMAGE, tag: '2', digest: 'sha256:1', commit: W, runId: '1' }
const fold = (facts: readonly FactBody[]) =>
  foldFacts(facts.map((fact, index) => ({ at: `2026-01-01T00:00:0${index}Z`, ...fact })))

const missing =
  'no marker that staging/web follows names the ImagePolicy staging/web; write # {"$imagepolicy": "staging:web:tag"} behind its newTag, or # {"$imagepolicy": "staging:web"} behind its whole image'
const unfollowed = (cause: string): FactBody => ({
  ...{
    kind: 'markers',
    automation: 'staging/web',
    choices: [{ policy: 'web', image: IMAGE, tag: '2', isMarked: false }],
  },
  cause,
})

const cases: readonly { readonly it: string; readonly facts: readonly FactBody[]; readonly want: string }[] = [
  { it: 'waits until an automation has looked', facts: [selects('2')], want: 'running' },
  {
    it: 'stops where no marker names its policy, and one that is there names none',
    facts: [selects('2'), looked(false, problem)],
    want: `failed write-back: ${missing}; what it could not follow: ${problem}`,
  },
  {
    it: 'stops where no marker names its policy at all',
    facts: [selects('2'), looked(false)],
    want: `failed write-back: ${missing}`,
  },
  {
    it: 'says so again when the same choice is told again',
    facts: [selects('2'), looked(false, problem), selects('2')],
    want: `failed write-back: ${missing}; what it could not follow: ${problem}`,
  },
  {
    it: 'stays stopped when the image and the end of its run are heard afterwards',
    facts: [run('running'), selects('2'), looked(false, problem), image, run('succeeded')],
    want: `failed write-back: ${missing}; what it could not follow: ${problem}`,
  },
  {
    it: 'stops with what keeps the automation from following any marker',
    facts: [selects('2'), unfollowed('it is suspended')],
    want: 'failed write-back: it is suspended',
  },
  {
    it: 'is not concerned by what is wrong with others',
    facts: [selects('2'), looked(true, problem)],
    want: 'running',
  },
  {
    it: 'is not concerned by what was found before it',
    facts: [looked(false, problem, 'staging/web', '1'), selects('2')],
    want: 'running',
  },
  {
    it: 'waits for another automation that has its marker',
    facts: [looked(true, undefined, 'staging/other', '1'), selects('2'), looked(false)],
    want: 'running',
  },
  {
    it: 'is not concerned by an automation of another namespace',
    facts: [selects('2'), looked(false, problem, 'prod/web')],
    want: 'running',
  },
  {
    it: 'goes on when the marker is mended',
    facts: [selects('2'), looked(false, problem), looked(true)],
    want: 'running',
  },
  {
    it: 'goes on when it is written back after all',
    facts: [selects('2'), looked(false, problem), writeBack],
    want: 'running',
  },
  { it: 'stays written back', facts: [selects('2'), writeBack, looked(false, problem)], want: 'running' },
]
for (const { it, facts, want } of cases)
  test(`a delivery at its write-back ${it}`, () => {
    const [cell] = cellsOf(fold(facts))
    assert.equal([cell?.delivery?.state, cell?.cause].filter(Boolean).join(' '), want)
    assert.equal(cell?.stop?.border, want === 'running' ? undefined : 'write-back')
  })

test('the same findings again are no news', () => {
  const ledger = fold([looked(false, problem)])
  assert.deepEqual([isNews(ledger, looked(false, problem)), isNews(ledger, looked(true, problem))], [false, true])
})
