import type { EventFilter, Workflow } from './workflow.ts'
import { fitsPatterns } from './glob.ts'

/** What happened in the repository, as a workflow sees it. */
export type CiEvent = {
  readonly name: 'push' | 'pull_request'
  /** `refs/heads/main`, `refs/tags/v1.0.0` or `refs/pull/7/merge`. */
  readonly ref: string
  readonly commit: string
  readonly before: string
  /** The branch that a pull request wants to enter, without `refs/heads/`. */
  readonly baseBranch?: string
  readonly pull?: number
  readonly action?: 'opened' | 'synchronize'
  readonly actor: string
  /** The commit's message. */
  readonly message: string
}

/** An event with the paths that filters ask for; undefined when everything counts as changed (the first commit of a repository). */
export type EventWithPaths = CiEvent & { readonly changedPaths: readonly string[] | undefined }

/** Whether a workflow runs for an event, and why not. */
export type Match = { readonly runs: true } | { readonly runs: false; readonly why: string }

const SKIP = /\[(skip ci|ci skip|no ci|skip actions|actions skip)\]/i

/** Applies the `on:` of a workflow to an event, as GitHub does. */
export function matchEvent(workflow: Workflow, event: EventWithPaths): Match {
  const filter = workflow.on[event.name]
  if (filter === undefined) return no(`it is not for the event ${event.name}`)
  if (SKIP.test(event.message)) return no('the commit message asks to skip')
  return event.name === 'push' ? matchPush(filter, event) : matchPull(filter, event)
}

function matchPush(filter: EventFilter, event: EventWithPaths): Match {
  const tag = after(event.ref, 'refs/tags/')
  const branch = after(event.ref, 'refs/heads/')
  const wantsTags = filter.tags ?? filter.tagsIgnore
  const wantsBranches = filter.branches ?? filter.branchesIgnore
  if (tag !== undefined) {
    if (wantsTags === undefined && wantsBranches !== undefined) return no('it is for branches only')
    // Path filters do not apply to tags.
    return passes(tag, filter.tags, filter.tagsIgnore) ? { runs: true } : no(`the tag "${tag}" does not fit its filter`)
  }
  if (branch === undefined) return no(`"${event.ref}" is neither a branch nor a tag`)
  if (wantsBranches === undefined && wantsTags !== undefined) return no('it is for tags only')
  if (!passes(branch, filter.branches, filter.branchesIgnore))
    return no(`the branch "${branch}" does not fit its filter`)
  return matchPaths(filter, event)
}

function matchPull(filter: EventFilter, event: EventWithPaths): Match {
  const base = event.baseBranch ?? ''
  const types = filter.types ?? ['opened', 'synchronize', 'reopened']
  if (!types.includes(event.action ?? 'opened')) return no(`it is not for the type "${event.action ?? 'opened'}"`)
  if (!passes(base, filter.branches, filter.branchesIgnore)) return no(`the base "${base}" does not fit its filter`)
  return matchPaths(filter, event)
}

function matchPaths({ paths, pathsIgnore }: EventFilter, { changedPaths }: EventWithPaths): Match {
  if (changedPaths === undefined || (paths === undefined && pathsIgnore === undefined)) return { runs: true }
  const isWanted = changedPaths.some((path) => passes(path, paths, pathsIgnore))
  return isWanted ? { runs: true } : no('no changed path fits its filter')
}

function passes(text: string, wanted: readonly string[] | undefined, ignored: readonly string[] | undefined): boolean {
  if (wanted !== undefined) return fitsPatterns(wanted, text)
  return ignored === undefined || !fitsPatterns(ignored, text)
}

function after(text: string, prefix: string): string | undefined {
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined
}

function no(why: string): Match {
  return { runs: false, why }
}
