import type { YamlDocument } from '../yaml/nodes.ts'
import { positionOf, whereIs, type Place } from '../yaml/position.ts'

/** What upstream accepts in silence and is probably a mistake. `docs/warnings.md` is generated from this table. */
export const FINDING_CODES = {
  PATCH_NO_MATCH:
    'The target of a patch selects no object, so that the patch does nothing. Check kind, name, namespace and selectors against the objects of this kustomization; names are those before and after prefixes.',
  IMAGE_NO_MATCH:
    'An entry of images matches no image. Write its name as the manifests do, with the registry and without the tag.',
  IMAGE_NAME_REGEXP:
    'The name of an images entry is read as a regular expression, and matches an image of another name ("." stands for any character). Put a backslash before what is meant as it stands.',
  PATCH_REPLACES_LIST:
    'A strategic merge patch meets a list of a kind whose schema is not known (a custom resource), so that the whole list is replaced. Write all items into the patch, use a JSON patch, or name a schema with openapi.path.',
  DUPLICATE_KEY:
    'A kustomization file has a key twice. The last one counts, what the first one asked for is lost. Merge the two.',
  LINES_NOT_READ:
    'A YAML text goes on behind the end of its first value, and YAML drops the rest in silence. The first line is indented further than those below it, or a line below has lost its indentation. Let the keys of one mapping begin in one column.',
  VALUE_NOT_TEXT:
    'A field that must be a text (a label, an annotation, the value of a variable) holds a number, a boolean or nothing. Quote it; the API server refuses it otherwise.',
  RETAIN_KEYS_LEFTOVER:
    'An object has fields of which only one may be set: what a patch set stands beside what was there before, for kustomize knows no retainKeys. Remove the old field by "field: null" in the patch.',
  UNKNOWN_FIELD:
    'The kind has no such field. The API server refuses the object or drops the field. Check the spelling and the level of indentation.',
} as const satisfies Record<string, string>

/** A code for machines. */
export type FindingCode = keyof typeof FINDING_CODES

/** Something in the input that is probably a mistake, though kustomize says nothing. */
export type Finding = {
  readonly code: FindingCode
  readonly message: string
  /** `file:line:column`; undefined when a program made the place. */
  readonly where: string | undefined
  readonly hint: string
}

/** A finding at a node. */
export function findingAt(code: FindingCode, message: string, place: Place | undefined, hint: string): Finding {
  return { code, message, where: whereIs(place), hint }
}

/** What is said of lines that belong to no node; undefined where there are none. */
export function linesNotRead({ source, root, unread }: YamlDocument): Finding | undefined {
  if (unread === undefined || !root) return undefined
  const { line } = positionOf(source, root.start)
  return findingAt(
    'LINES_NOT_READ',
    `this line and those below are not read: what begins in line ${line} has ended, for that line is indented further`,
    { source, start: unread, keyStart: -1 },
    'let the lines begin in one column',
  )
}

/** A finding as lines for a person. */
export function renderFinding({ code, message, where, hint }: Finding): string {
  return [`warning: ${message} [${code}]`, ...(where ? [`  where: ${where}`] : []), `  hint: ${hint}`].join('\n')
}
