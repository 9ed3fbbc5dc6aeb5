import { type JsonObject, objectOf, objectsOf, stringOf } from '../../../../lib/kube/json.ts'

/** A pod as the checks see it. */
export type CheckedPod = { readonly annotations: JsonObject; readonly spec: JsonObject }

/** What is wrong with a pod: in short, and in detail. */
export type Violation = { readonly reason: string; readonly detail: string }

/** A check of pods; undefined where nothing is wrong. */
export type PodCheck = (pod: CheckedPod) => Violation | undefined

/** All containers, in the order in which messages name them. */
export const containersOf = (spec: JsonObject): JsonObject[] =>
  ['initContainers', 'containers', 'ephemeralContainers'].flatMap((list) => objectsOf(spec[list]))

/** What a pod or a container says of its security. */
export const contextOf = ({ securityContext }: JsonObject): JsonObject => objectOf(securityContext)

/** The names of what fits. */
export const namesOf = (items: readonly JsonObject[], fits: (item: JsonObject) => boolean): string[] =>
  items.filter(fits).map(({ name }) => stringOf(name))

/** Names in quotes, with commas. */
export const quoted = (items: readonly string[]): string => items.map((item) => `"${item}"`).join(', ')

/** Each once, in order. */
export const each = (items: readonly string[]): string[] => [...new Set(items)].sort()

/** A word for so many. */
export const plural = (word: string, count: number): string => (count === 1 ? word : `${word}s`)

/** `container "a"`, `containers "a", "b"`. */
export const named = (names: readonly string[], word = 'container'): string =>
  `${plural(word, names.length)} ${quoted(names)}`

/** A name for one or for several: `uses`, `use`. */
export const uses = (count: number): string => (count === 1 ? 'uses' : 'use')

/** The pod itself, if it says so, and the containers that do. */
export function settersOf(spec: JsonObject, fits: (context: JsonObject) => boolean): string[] {
  const names = namesOf(containersOf(spec), (container) => fits(contextOf(container)))
  return [...(fits(contextOf(spec)) ? ['pod'] : []), ...(names.length > 0 ? [named(names)] : [])]
}

/** True for pods with users of their own, to whom less is forbidden. */
export const hasOwnUsers = ({ hostUsers }: JsonObject): boolean => hostUsers === false

/** True for pods of Windows, which has no such thing. */
export const isWindows = ({ os }: JsonObject): boolean => objectOf(os).name === 'windows'
