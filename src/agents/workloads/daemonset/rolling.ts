import type { Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import {
  creation,
  deletion,
  isAvailable,
  isLeaving,
  maxSurge,
  maxUnavailable,
  wantedPosts,
  type Crew,
  type Post,
} from './crew.ts'
import { isUpdated } from './placement.ts'

/** A node's pods that stay, sorted by template; `undefined` where there are several of a kind. */
type Pair = { readonly post: Post; readonly fresh: Pod | undefined; readonly stale: Pod | undefined }

/** Writes that move daemons to the present template within the bounds of the strategy. */
export function rollOn(crew: Crew): readonly Write[] {
  if ((crew.set.spec.updateStrategy?.type ?? 'RollingUpdate') !== 'RollingUpdate') return []
  return maxSurge(crew, wantedPosts(crew)) > 0 ? surge(crew) : replace(crew)
}

/** Old pods go, and `manage` makes new ones: those that do not serve at once, of the others as many as may be missing. */
function replace(crew: Crew): readonly Write[] {
  const posts = crew.posts.filter(isCounted)
  const pairs = posts.map((post) => pairOn(crew, post))
  const unavailable = pairs.filter((pair) => !pair || !isManned(crew, pair)).length
  const stale = pairs.flatMap((pair) => (pair?.stale && !pair.fresh ? [pair.stale] : []))
  const sick = stale.filter((pod) => !isAvailable(crew, pod))
  const room = Math.max(maxUnavailable(crew, wantedPosts(crew)) - unavailable, 0)
  const serving = stale.filter((pod) => isAvailable(crew, pod)).slice(0, room)
  return [...sick, ...serving].map((pod) => deletion(crew, pod))
}

/** New pods come beside old ones, which go when the new one serves. */
function surge(crew: Crew): readonly Write[] {
  const posts = crew.posts.filter(isCounted)
  const pairs = posts.map((post) => pairOn(crew, post)).filter((pair) => pair !== undefined)
  const replaced = pairs.filter(({ fresh, stale }) => stale && fresh && isAvailable(crew, fresh))
  const unclear = posts.length - pairs.length
  const surging = pairs.filter(({ fresh, stale }) => stale && fresh && !isAvailable(crew, fresh)).length + unclear
  const alone = pairs.filter(({ fresh, stale }) => stale && !fresh)
  const isSick = ({ stale }: Pair): boolean => stale !== undefined && !isAvailable(crew, stale)
  const mayRun = ({ post }: Pair): boolean => post.verdict?.shouldRun === true

  const available = pairs.filter(({ stale, fresh }) => {
    const senior = stale ?? fresh
    return senior !== undefined && isAvailable(crew, senior)
  }).length
  const spare = Math.max(available - wantedPosts(crew), 0)
  const room = Math.max(maxSurge(crew, wantedPosts(crew)) - surging, 0)
  const leaving = [
    ...replaced,
    ...alone.filter((pair) => isSick(pair) && !mayRun(pair)),
    ...alone.filter((pair) => !isSick(pair) && !mayRun(pair)).slice(0, spare),
  ]
  const coming = [
    ...alone.filter((pair) => isSick(pair) && mayRun(pair)),
    ...alone.filter((pair) => !isSick(pair) && mayRun(pair)).slice(0, room),
  ]
  return [
    ...coming.map(({ post }) => creation(crew, post.name)),
    ...leaving.flatMap(({ stale }) => (stale ? [deletion(crew, stale)] : [])),
  ]
}

/** A node that has pods or is to have one. */
function isCounted({ verdict, pods }: Post): boolean {
  return pods.length > 0 || verdict?.shouldRun === true
}

function pairOn({ set, hash }: Crew, post: Post): Pair | undefined {
  const staying = post.pods.filter((pod) => !isLeaving(pod))
  const fresh = staying.filter((pod) => isUpdated(set, pod, hash))
  const stale = staying.filter((pod) => !fresh.includes(pod))
  if (fresh.length > 1 || stale.length > 1) return undefined
  return { post, fresh: fresh[0], stale: stale[0] }
}

function isManned(crew: Crew, { fresh, stale }: Pair): boolean {
  const pod = fresh ?? stale
  return pod !== undefined && !(fresh && stale) && isAvailable(crew, pod)
}
