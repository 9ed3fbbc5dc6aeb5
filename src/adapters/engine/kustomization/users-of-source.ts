import { readText } from '../../../lib/kube/read.ts'
import type { KustomizationTools } from './memory.ts'
import { sameAnswers } from './build/source-tree.ts'

/** The users of a source that has changed, by when they should look at it. */
export type UsersToWake = { readonly now: readonly string[]; readonly later: readonly string[] }

/**
 * Who has work to do looks now: those whose files have changed, and those on which they depend, whose status they wait for. The others only say that they
 * have seen the revision; a thousand such writes must not stand before the one change.
 *
 * @param source `GitRepository/namespace/name`
 */
export function usersToWake(tools: KustomizationTools, source: string): UsersToWake {
  const keys = tools.usersOf(source)
  const changed = keys.filter((key) => hasWork(tools, source, key))
  if (changed.length === 0 || changed.length === keys.length) return { now: keys, later: [] }
  const now = withDependencies(tools, changed)
  return { now: [...now], later: keys.filter((key) => !now.has(key)) }
}

/**
 * Flux sorts those that have not seen a new revision by their dependencies, and runs what the sort names: dependencies that have another source, too.
 *
 * @returns the keys of those
 */
export function dependenciesToRun(tools: KustomizationTools, source: string): readonly string[] {
  const { context, find, memoryOf, usersOf } = tools
  const [kind = '', namespace = '', name = ''] = source.split('/')
  const revision = context.sources.get(kind, namespace, name)?.revision
  if (revision === undefined) return []
  const users = new Set(usersOf(source))
  const late = [...users].filter((key) => !['', revision].includes(memoryOf(key).handledRevision))
  const named = late.flatMap((key) => find(key)?.dependsOn.map((one) => `${one.namespace}/${one.name}`) ?? [])
  return [...new Set(named)].filter((key) => !users.has(key) && find(key) !== undefined)
}

/**
 * Whom Flux runs when a source is deleted: those that had not dealt with its last revision.
 *
 * @param source `GitRepository/namespace/name`
 */
export function usersBehind(
  { find, usersOf }: KustomizationTools,
  source: string,
  revision: string,
): readonly string[] {
  if (revision === '') return []
  return usersOf(source).filter((key) => {
    const { conditions = [], status = {} } = find(key) ?? {}
    const isReadyOrReconciling = conditions.some(
      ({ type, status: holds }) => (type === 'Ready' || type === 'Reconciling') && holds === 'True',
    )
    return !isReadyOrReconciling || readText(status, 'lastAttemptedRevision') !== revision
  })
}

function hasWork({ context, memoryOf }: KustomizationTools, source: string, key: string): boolean {
  const [kind = '', namespace = '', name = ''] = source.split('/')
  const snapshot = context.sources.get(kind, namespace, name)
  const { build } = memoryOf(key)
  return !snapshot || !build || !sameAnswers(snapshot, build.reads)
}

function withDependencies({ find }: KustomizationTools, keys: readonly string[]): ReadonlySet<string> {
  const found = new Set(keys)
  // A set that grows while it is walked hands out what was added, too.
  for (const key of found)
    for (const { namespace, name } of find(key)?.dependsOn ?? []) found.add(`${namespace}/${name}`)
  return found
}
