import { cleanText } from './text-width.ts'
import type { Fact } from '../../pipeline/record/fact.ts'
import { unreachable } from '../../lib/error/unreachable.ts'
import { commitOfRevision } from '../../pipeline/record/names.ts'

/** One line of progress for a fact: the time, the border, what happened. `undefined` for facts too small to print, and for what is only about to be done. */
export function renderFact(fact: Fact): string | undefined {
  const text = 'intended' in fact && fact.intended === true ? undefined : describe(fact)
  return text === undefined ? undefined : `${fact.at.slice(11, 19)}  ${fact.kind.padEnd(10)}  ${cleanText(text)}`
}

function describe(fact: Fact): string | undefined {
  switch (fact.kind) {
    case 'push':
      return `${fact.ref} ${short(fact.commit)} by ${fact.author}${pushedBy(fact)}: ${fact.message.split('\n', 1)[0]}`
    case 'run':
      return `${fact.workflow} on ${fact.ref} ${short(fact.commit)}: ${fact.state}${because(fact.cause)}${whereOf(fact)}`
    case 'image':
      return `${fact.image}:${fact.tag} pushed, ${shortDigest(fact.digest)} from ${short(fact.commit)}`
    case 'policy':
      return fact.cause === undefined
        ? `${fact.policy} selects ${fact.image}:${fact.tag} of ${fact.considered} ${fact.considered === 1 ? 'tag' : 'tags'}`
        : `${fact.policy} selects nothing${because(fact.cause)}`
    case 'write-back':
      return `${fact.automation} commits ${short(fact.commit)} to ${fact.branch}: ${fact.images.map((image) => `${image.image}:${image.tag}`).join(', ')}`
    case 'markers': {
      const why = fact.cause ?? fact.problems
      return why === undefined ? undefined : `${fact.automation} did not follow markers${because(why)}`
    }
    case 'source':
      return `${fact.source} is at ${fact.revision}`
    case 'build':
      return fact.ok
        ? undefined
        : `${fact.kustomization} at ${short(commitOfRevision(fact.revision))} failed${because(fact.cause)}`
    case 'apply':
      return describeApply(fact)
    case 'health':
      return `${fact.kustomization} at ${short(commitOfRevision(fact.revision))} is ${fact.state}${because(fact.cause)}`
    case 'deletion':
      return 'policy' in fact
        ? `ImagePolicy ${fact.policy} was deleted`
        : `Kustomization ${fact.kustomization} was deleted`
    case 'pod':
      return fact.ready ? `${fact.namespace}/${fact.pod} is ready on ${shortDigest(fact.digest)}` : undefined
    default:
      return unreachable(fact)
  }
}

function pushedBy({ author, pusher = author }: Extract<Fact, { kind: 'push' }>): string {
  return pusher.toLowerCase() === author.toLowerCase() ? '' : `, pushed by ${pusher}`
}

function describeApply(fact: Extract<Fact, { kind: 'apply' }>): string | undefined {
  if (!fact.ok) return `${fact.kustomization} at ${short(commitOfRevision(fact.revision))} failed${because(fact.cause)}`
  const changed = fact.changes.filter((change) => change.action !== 'unchanged')
  if (changed.length === 0) return undefined
  const drift = changed.some((change) => change.drift) ? ' (drift corrected)' : ''
  const shown = changed.slice(0, 3).map((change) => `${change.object} ${change.action}`)
  const more = changed.length > shown.length ? ` and ${changed.length - shown.length} more` : ''
  return `${fact.kustomization} at ${short(commitOfRevision(fact.revision))}: ${shown.join(', ')}${more}${drift}`
}

function because(cause: string | undefined): string {
  return cause === undefined || cause === '' ? '' : `: ${cause.trim().replaceAll('\n', ' · ')}`
}

/** Where to look while it runs and when it has failed. */
function whereOf({ state, runId }: Extract<Fact, { kind: 'run' }>): string {
  return state === 'running' || state === 'failed' ? ` (sluice logs run/${runId})` : ''
}

function short(commit: string): string {
  return commit.slice(0, 7)
}

function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12)
}
