import type { ImagePolicy } from '../../kinds/image.ts'
import { choosePolicyTag, type PolicyChoice, type PolicyRule } from './policy.ts'

/** By which rule a policy chooses; `undefined` when it names none. Of several, semver counts first, as in Flux. */
export function ruleOf({ semverRange, alphabeticalOrder, numericalOrder }: ImagePolicy): PolicyRule | undefined {
  if (semverRange !== undefined) return { kind: 'semver', range: semverRange }
  if (alphabeticalOrder !== undefined) return { kind: 'alphabetical', order: alphabeticalOrder }
  if (numericalOrder !== undefined) return { kind: 'numerical', order: numericalOrder }
  return undefined
}

/** Why a policy does not choose one tag, were that there beside its present choice; `undefined` when it would. */
export function whyNotChosen(policy: ImagePolicy, tag: string): string | undefined {
  const choose = (tags: readonly string[]): PolicyChoice =>
    choosePolicyTag({ rule: ruleOf(policy), filter: policy.filterTags, tags, traps: 'safe' })
  const name = `ImagePolicy ${policy.namespace}/${policy.name}`
  const alone = choose([tag])
  if (alone.fault !== undefined) {
    const why = alone.rejected[0]?.why.replace(/^(does not match) filterTags\.pattern$/, patternOf(policy))
    return `${name} does not take ${tag}: ${why === undefined ? alone.fault.message : `it ${why}`}`
  }
  const present = policy.latestRef?.tag
  if (present === undefined || present === tag || choose([tag, present]).tag === tag) return undefined
  return `${name} stays with ${present}, which comes before ${tag} by its rule`
}

function patternOf({ filterTags }: ImagePolicy): string {
  return `$1 the pattern ${JSON.stringify(filterTags?.pattern ?? '').replaceAll('$', '$$$$')}`
}
