import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  applied,
  at,
  before,
  build,
  built,
  C,
  D,
  health,
  IMAGE,
  image,
  KUSTOMIZATION,
  pod,
  policy,
  push,
  run,
  whole,
  writeBack,
} from '../../../tests/support/delivery-facts.ts'
import { foldFacts } from '../../../tests/support/fold-facts.ts'
import type { FactBody } from './fact.ts'
import type { Delivery } from './delivery.ts'
import { historyOf } from './query.ts'

const deliveriesOf = (facts: readonly FactBody[]): readonly Delivery[] => historyOf(foldFacts(at(facts)), { limit: 9 })

const withService = (name: string, images: readonly string[], kustomization = KUSTOMIZATION): FactBody =>
  ({
    ...build('1.0.0', 'a'.repeat(40)),
    kustomization,
    workloads: [{ namespace: kustomization.split('/')[1], name, images }],
  }) as FactBody

const began = [push(C, 'feat: x'), run('running')]
const earlier = [
  { ...run('succeeded'), runId: '0', workflow: 'Release' },
  { ...image, runId: '0', tag: '1.0.0' },
] as FactBody[]
const released = { ...run('running'), workflow: 'Release' } as FactBody

const opened: { it: string; facts: readonly FactBody[]; want: readonly string[] }[] = [
  { it: 'by the name of the workflow', facts: [...before, ...began], want: ['default/web'] },
  { it: 'by an image that the workflow built before', facts: [...earlier, ...before, released], want: ['default/web'] },
  {
    it: 'by one of several images that the workflow built before',
    facts: [...earlier, withService('web', ['h/proxy:1', `${IMAGE}:1.0.0`]), released],
    want: ['production/web'],
  },
  { it: 'not by a workflow that builds something else', facts: [...before, released], want: [] },
  {
    it: 'not from a branch that no environment follows',
    facts: [...before, { ...run('running'), ref: 'refs/heads/develop' } as FactBody],
    want: [],
  },
  { it: 'not by a tag', facts: [...before, { ...run('running'), ref: 'refs/tags/main' } as FactBody], want: [] },
  {
    it: 'not by a pull request',
    facts: [...before, { ...run('running'), event: 'pull_request' } as FactBody],
    want: [],
  },
  {
    it: 'not by a run that is skipped',
    facts: [...before, { ...run('running'), state: 'skipped' } as FactBody],
    want: [],
  },
  { it: 'once, however often the run is told', facts: [...before, ...began, run('running')], want: ['default/web'] },
  {
    it: 'in an environment that is met while the run goes on',
    facts: [...before, ...began, withService('web', [`${IMAGE}:1.0.0`], 'flux-system/staging'), run('running')],
    want: ['default/web', 'staging/web'],
  },
]
for (const { it, facts, want } of opened)
  test(`a run opens a delivery ${it}`, () =>
    assert.deepEqual(
      deliveriesOf(facts)
        .map(({ environment, service }) => `${environment}/${service}`)
        .sort(),
      want,
    ))

const goesOn = whole.filter((fact) => !(fact.kind === 'run' && fact.state === 'succeeded'))
const runs: { it: string; facts: readonly FactBody[]; ci: string | undefined; state: string }[] = [
  { it: 'under way is shown so', facts: [...before, ...began], ci: 'running', state: 'running' },
  { it: 'that was cancelled stops it', facts: [...before, ...began, cancelled()], ci: 'failed', state: 'failed' },
  { it: 'that goes on when its image has arrived leaves it', facts: goesOn, ci: 'running', state: 'done' },
  { it: 'that ends well then is noted', facts: [...goesOn, run('succeeded')], ci: 'done', state: 'done' },
  { it: 'that fails then is noted', facts: [...goesOn, run('failed', 'no scan')], ci: 'failed', state: 'done' },
  {
    it: 'that fails once it had ended well changes nothing',
    facts: [...whole, run('failed')],
    ci: 'done',
    state: 'done',
  },
]
for (const { it, facts, ci, state } of runs)
  test(`of a delivery, a run ${it}`, () => {
    const [delivery] = deliveriesOf(facts)
    assert.deepEqual([delivery?.borders.ci?.state, delivery?.state], [ci, state])
  })

function cancelled(): FactBody {
  return { ...run('failed'), state: 'cancelled' } as FactBody
}

const other = { ...image, image: 'registry.sluice.local/tool' } as FactBody
const again = { ...image, digest: `sha256:${'2'.repeat(64)}`, commit: 'b'.repeat(40), runId: '2' } as FactBody
const unknown = [...before, policy('1.1.0'), build('1.1.0'), ...applied.slice(-1), pod(D), health('healthy')]
const images: { it: string; facts: readonly FactBody[]; want: object }[] = [
  { it: 'of the service of its run is its image', facts: built, want: { image: IMAGE, version: '1.1.0', digest: D } },
  { it: 'of another name is not', facts: [...before, ...began, other], want: { image: undefined, version: '' } },
  {
    it: 'that is told late says whence it came',
    facts: [...unknown, image],
    want: { commit: C, state: 'done', digest: D },
  },
  { it: 'that is pushed anew changes none that has arrived', facts: [...whole, again], want: { commit: C, digest: D } },
]
for (const { it, facts, want } of images)
  test(`an image ${it}`, () => {
    const [delivery] = deliveriesOf(facts)
    assert.deepEqual({ ...delivery, ...want }, delivery)
  })

const one = { ...policy('1.1.0'), considered: 1 } as FactBody
const named = (namespace: string, used: string): FactBody =>
  ({ ...withService('shop', [used]), workloads: [{ namespace, name: 'shop', images: [used] }] }) as FactBody
const choices: { it: string; facts: readonly FactBody[]; want: readonly string[] }[] = [
  { it: 'of what runs already opens nothing', facts: [...before, policy('1.0.0')], want: [] },
  { it: 'that is told again opens nothing anew', facts: [...whole, policy('1.1.0')], want: ['default/web 1.1.0 done'] },
  {
    it: 'of what runs in another environment opens a delivery',
    facts: [named('other', `${IMAGE}:1.0.0`), policy('1.0.0')],
    want: ['default/web 1.0.0 running'],
  },
  {
    it: 'is of the workload that runs another tag of it',
    facts: [named('default', `${IMAGE}:1.0.0`), policy('1.1.0')],
    want: ['default/shop 1.1.0 running'],
  },
  {
    it: 'is of the workload that names it without a tag',
    facts: [named('default', IMAGE), policy('1.1.0')],
    want: ['default/shop 1.1.0 running'],
  },
  {
    it: 'is not of a workload whose image only begins like it',
    facts: [named('default', `${IMAGE}-admin:1.0.0`), policy('1.1.0')],
    want: ['default/web 1.1.0 running'],
  },
]
for (const { it, facts, want } of choices)
  test(`a choice ${it}`, () =>
    assert.deepEqual(
      deliveriesOf(facts).map(
        ({ environment, service, version, state }) => `${environment}/${service} ${version} ${state}`,
      ),
      want,
    ))

test('a choice says from how many tags it was made', () => {
  const detailOf = (chosen: FactBody): string | undefined =>
    deliveriesOf([...before, chosen])[0]?.borders.policy?.detail
  assert.equal(detailOf(one), 'default/web selects 1.1.0 of 1 tag')
  assert.equal(detailOf(policy('1.1.0')), 'default/web selects 1.1.0 of 3 tags')
})

test('a write-back that is done is intended no longer', () => {
  const intended = { ...writeBack, intended: true } as FactBody
  assert.equal(foldFacts(at([...built, intended])).intended.writeBacks.size, 1)
  assert.equal(foldFacts(at([...built, intended, writeBack])).intended.writeBacks.size, 0)
})

for (const [ends, ci] of [
  [[], 'running'],
  [[run('succeeded')], 'done'],
] as const)
  test(`a delivery that is met when its image is there says that its run is ${ci}`, () => {
    const facts = [push(C, 'x'), run('running'), image, ...ends, ...before, policy('1.1.0')]
    assert.equal(deliveriesOf(facts)[0]?.borders.ci?.state, ci)
  })

test('a policy stops the service of its image alone, and no longer that of an image that it was about before', () => {
  const shop = withService('shop', ['h/shop:1'], 'flux-system/default')
  const about = (name: string, used: string, cause?: string): FactBody =>
    ({ ...policy('', cause), policy: `default/${name}`, image: used }) as FactBody
  const causesOf = (...facts: readonly FactBody[]): readonly unknown[] =>
    [...foldFacts(at([...before, shop, ...facts])).policyCauses.entries()].map(([service, { policy: by, cause }]) => [
      service,
      by,
      cause,
    ])
  const both = [about('a', IMAGE, 'none'), about('b', 'h/shop', 'no tags')]
  assert.deepEqual(causesOf(...both), [
    ['default/web', 'default/a', 'none'],
    ['default/shop', 'default/b', 'no tags'],
  ])
  assert.deepEqual(causesOf(...both, about('a', 'h/other', 'none')), [
    ['default/shop', 'default/b', 'no tags'],
    ['default/other', 'default/a', 'none'],
  ])
  assert.deepEqual(causesOf(...both, { kind: 'deletion', policy: 'default/b' }), [['default/web', 'default/a', 'none']])
})
