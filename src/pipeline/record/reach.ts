import type { Border, BorderName, BorderState } from './delivery.ts'
import { branchOfRevision, commitOfRevision, type FactIndex, type FactOf, imagesOf } from './fact-index.ts'

/** What is to arrive in an environment: an image, or a commit's own manifests. */
export type Wanted =
  | { readonly kind: 'image'; readonly image: FactOf<'image'>; readonly branch: string }
  | { readonly kind: 'commit'; readonly commit: string }

/** How far it came: the borders after the image, and the commit that carried it. */
export type Reached = { readonly borders: readonly Border[]; readonly configCommit: string }

/** Follows an image or commit from the policy to health in one Kustomization; `undefined`: none is known yet. */
export function reachEnvironment(index: FactIndex, wanted: Wanted, kustomization: string | undefined): Reached {
  const builds = index.build.filter((fact) => fact.kustomization === kustomization)
  const branch = builds.map((fact) => branchOfRevision(fact.revision)).findLast((name) => name !== undefined)
  const head =
    wanted.kind === 'image' ? writeBackBorders(index, wanted.image, branch) : { borders: [], commit: wanted.commit }
  const carries = (build: FactOf<'build'>): boolean =>
    wanted.kind === 'image' ? hasImage(build, wanted.image) : commitOfRevision(build.revision) === wanted.commit
  const carrying = builds.filter(
    (fact) => carries(fact) || (!fact.ok && commitOfRevision(fact.revision) === head.commit),
  )
  const revisions = new Set(carrying.map((fact) => fact.revision))
  const isOurs = (fact: { kustomization: string; revision: string }): boolean =>
    fact.kustomization === kustomization && revisions.has(fact.revision)
  const commit = head.commit !== '' ? head.commit : commitOfRevision(carrying[0]?.revision ?? '')
  return {
    configCommit: wanted.kind === 'image' ? commit : '',
    borders: [
      ...settleEarlier(head.borders, carrying),
      sourceBorder(index, commit, carrying),
      outcome('build', carrying, (fact) => (fact.ok ? 'done' : 'failed')),
      outcome('apply', index.apply.filter(isOurs), (fact) => (fact.ok ? 'done' : 'failed')),
      outcome('health', index.health.filter(isOurs), (fact) => (fact.state === 'healthy' ? 'done' : 'failed')),
    ],
  }
}

function hasImage(build: FactOf<'build'>, { image, tag, digest }: FactOf<'image'>): boolean {
  return imagesOf(build).some((one) => {
    if (one.digest !== '') return one.digest === digest
    return one.name === image && one.tag === tag
  })
}

function writeBackBorders(index: FactIndex, image: FactOf<'image'>, branch: string | undefined) {
  const matches = (one: { image: string; tag: string; digest?: string }): boolean =>
    one.image === image.image && one.tag === image.tag && (one.digest ?? image.digest) === image.digest
  const chosen = index.policy.find((fact) => fact.cause === undefined && matches(fact))
  const refused = index.policy.filter((fact) => fact.image === image.image && fact.at >= image.at).at(-1)
  const written = index['write-back'].find(
    (fact) => fact.images.some(matches) && (branch === undefined || fact.branch === branch),
  )
  const policy: Border = chosen
    ? {
        name: 'policy',
        state: 'done',
        at: chosen.at,
        detail: `${chosen.policy} chose ${chosen.tag} of ${chosen.considered} tags`,
      }
    : refused?.cause !== undefined
      ? { name: 'policy', state: 'failed', at: refused.at, detail: `${refused.policy}: ${refused.cause}` }
      : { name: 'policy', state: 'waiting', at: undefined, detail: '' }
  const writeBack: Border = written
    ? {
        name: 'write-back',
        state: 'done',
        at: written.at,
        detail: `${written.commit.slice(0, 7)} on ${written.branch}`,
      }
    : { name: 'write-back', state: 'waiting', at: undefined, detail: '' }
  return { borders: [policy, writeBack], commit: written?.commit ?? '' }
}

/** What was built with the image has passed the borders before, also when nobody saw it pass (an image set by hand in Git). */
function settleEarlier(borders: readonly Border[], carrying: readonly FactOf<'build'>[]): readonly Border[] {
  if (!carrying.some((fact) => fact.ok)) return borders
  return borders.map((one) => (one.state === 'done' ? one : { ...one, state: 'done', detail: 'not needed' }))
}

function sourceBorder(index: FactIndex, commit: string, carrying: readonly FactOf<'build'>[]): Border {
  const found = commit === '' ? undefined : index.source.find((fact) => fact.commit === commit)
  if (found) return { name: 'source', state: 'done', at: found.at, detail: found.revision }
  const build = carrying[0]
  return build
    ? { name: 'source', state: 'done', at: build.at, detail: build.revision }
    : { name: 'source', state: 'waiting', at: undefined, detail: '' }
}

/** The first success ends a border for good; until then the newest failure is its cause. */
function outcome<Told extends { readonly at: string; readonly revision: string; readonly cause?: string }>(
  name: BorderName,
  facts: readonly Told[],
  judge: (fact: Told) => BorderState,
): Border {
  const fact = facts.find((one) => judge(one) === 'done') ?? facts.at(-1)
  if (!fact) return { name, state: 'waiting', at: undefined, detail: '' }
  const state = judge(fact)
  return { name, state, at: fact.at, detail: state === 'done' ? fact.revision : (fact.cause ?? 'no cause told') }
}
