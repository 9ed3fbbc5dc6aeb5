import { type Json, type JsonObject, listOf, stringOf } from '../../../lib/kube/json.ts'
import { trimEndOf } from '../../../lib/value/trim-end.ts'

/** One verb for one resource (`pods`, `pods/log`; of one name, perhaps) or one path. */
export type Atom = {
  readonly verb: string
  readonly group?: string
  readonly resource?: string
  readonly name?: string
  readonly path?: string
}

/**
 * What the wanted rules allow and the held ones do not, in parts of one verb each.
 *
 * @see k8s.io/component-helpers/auth/rbac/validation
 */
export function uncovered(held: readonly JsonObject[], wanted: readonly JsonObject[]): JsonObject[] {
  const same = new Set(held.map((rule) => JSON.stringify(rule)))
  return wanted
    .filter((rule) => !same.has(JSON.stringify(rule)))
    .flatMap(atomsOf)
    .filter((atom) => !held.some((rule) => covers(rule, atom)))
    .map(ruleOf)
}

const texts = (value: Json | undefined): string[] => listOf(value).map(stringOf)

function atomsOf(rule: JsonObject): Atom[] {
  const verbs = texts(rule.verbs)
  const names: (string | undefined)[] = texts(rule.resourceNames)
  if (names.length === 0) names.push(undefined)
  const resources = texts(rule.apiGroups).flatMap((group) =>
    texts(rule.resources).flatMap((resource) =>
      verbs.flatMap((verb) =>
        names.map((name) => ({ verb, group, resource, ...(name === undefined ? {} : { name }) })),
      ),
    ),
  )
  return [...resources, ...texts(rule.nonResourceURLs).flatMap((path) => verbs.map((verb) => ({ verb, path })))]
}

/** Whether a rule allows one thing. @see k8s.io/kubernetes/pkg/apis/rbac/v1 evaluation_helpers.go */
export function covers(rule: JsonObject, { verb, group, resource = '', name, path }: Atom): boolean {
  const has = (list: Json | undefined, wanted: string): boolean => {
    const values = texts(list)
    return values.includes('*') || values.includes(wanted)
  }
  if (!has(rule.verbs, verb)) return false
  if (path !== undefined) return texts(rule.nonResourceURLs).some((own) => coversPath(own, path))
  const slash = resource.indexOf('/')
  const names = texts(rule.resourceNames)
  return (
    has(rule.apiGroups, group ?? '') &&
    (has(rule.resources, resource) || (slash >= 0 && texts(rule.resources).includes(`*${resource.slice(slash)}`))) &&
    (names.length === 0 || (name !== undefined && names.includes(name)))
  )
}

const coversPath = (own: string, path: string): boolean =>
  own === path || (own.endsWith('*') && path.startsWith(trimEndOf(own, '*')))

function ruleOf({ verb, group, resource, name, path }: Atom): JsonObject {
  if (path !== undefined) return { verbs: [verb], nonResourceURLs: [path] }
  return {
    verbs: [verb],
    apiGroups: [group ?? ''],
    resources: [resource ?? ''],
    ...(name === undefined ? {} : { resourceNames: [name] }),
  }
}

/** Rules of one verb each as lines: the verbs of one resource together, sorted. */
export function describeRules(rules: readonly JsonObject[]): string {
  const verbs = new Map<string, string[]>()
  const lines = new Set<string>()
  for (const rule of rules) {
    const subject = subjectOf(rule)
    if (rule.nonResourceURLs === undefined) verbs.set(subject, [...(verbs.get(subject) ?? []), ...texts(rule.verbs)])
    else lines.add(`{${subject}, Verbs:${quoted(texts(rule.verbs))}}`)
  }
  for (const [subject, own] of verbs) lines.add(`{${subject}, Verbs:${quoted(own)}}`)
  return [...lines].sort().join('\n')
}

const quoted = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(' ')}]`

const SHOWN = [
  ['APIGroups', 'apiGroups'],
  ['Resources', 'resources'],
  ['NonResourceURLs', 'nonResourceURLs'],
  ['ResourceNames', 'resourceNames'],
] as const

const subjectOf = (rule: JsonObject): string =>
  SHOWN.flatMap(([name, field]) => (rule[field] === undefined ? [] : [`${name}:${quoted(texts(rule[field]))}`])).join(
    ', ',
  )
