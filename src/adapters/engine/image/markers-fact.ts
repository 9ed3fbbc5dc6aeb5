import type { ImagePolicy, ImageUpdateAutomation } from '../../../kinds/image.ts'
import type { FactBody, MarkedChoice } from '../../../pipeline/record/fact.ts'
import type { Edited } from './edit-files.ts'

type Followed = { readonly automation: ImageUpdateAutomation; readonly policies: readonly ImagePolicy[] }

/** What a run found of each policy's choice, and the markers that it could not follow. */
export function markersFact(
  { automation, policies }: Followed,
  { problems, marked }: Pick<Edited, 'problems' | 'marked'>,
): FactBody {
  const found = problems.map(({ where, problem }) => `${where}: ${problem}`).join('\n')
  const choices = choicesOf(policies, (name) => marked.has(name))
  return { kind: 'markers', automation: nameOf(automation), choices, ...(found === '' ? {} : { problems: found }) }
}

/** That no choice is written back, because the automation as a whole does not run. */
export function unfollowedFact({ automation, policies }: Followed, cause: string): FactBody {
  const choices = choicesOf(policies, () => false)
  return { kind: 'markers', automation: nameOf(automation), choices, cause: cause.trim() }
}

function choicesOf(policies: readonly ImagePolicy[], isMarked: (policy: string) => boolean): readonly MarkedChoice[] {
  return policies.flatMap(({ name, latestRef }) =>
    latestRef === undefined
      ? []
      : [{ policy: name, image: latestRef.name, tag: latestRef.tag, isMarked: isMarked(name) }],
  )
}

function nameOf({ namespace, name }: ImageUpdateAutomation): string {
  return `${namespace}/${name}`
}
