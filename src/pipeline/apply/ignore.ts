import { isDeepStrictEqual } from 'node:util'
import type { IgnoreRule, IgnoreTarget } from '../../kinds/kustomization.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { compileRegexp } from '../../lib/go-regexp/go-regexp.ts'
import { groupOf, type KubeObject, type ManagedFieldsEntry, versionOf } from '../../lib/kube/object.ts'
import { matchLabels, parseLabelSelector, SelectorError } from '../../lib/kube/selector.ts'
import { isRecord } from '../../lib/value/is-record.ts'

/** The JSON pointers of an object that `spec.ignore` leaves to others. */
export type IgnoredPaths = (object: KubeObject) => readonly string[]

/** How a field that others changed is left to them: taken out of what is applied, or applied as it is in the cluster. */
export type Yielding = { readonly path: string } & (
  { readonly do: 'strip' } | { readonly do: 'adopt'; readonly value: unknown }
)

/**
 * Compiles `spec.ignore`.
 *
 * @throws SluiceError REGEXP_SYNTAX, OBJECT_INVALID for an expression or selector that is none
 */
export function compileIgnore(rules: readonly IgnoreRule[]): IgnoredPaths {
  const compiled = rules.map(({ paths, target }) => ({ paths, matches: compileTarget(target) }))
  return (object) => compiled.flatMap(({ paths, matches }) => (matches(object) ? paths : []))
}

function compileTarget({
  group,
  version,
  kind,
  name,
  namespace,
  ...selectors
}: IgnoreTarget): (object: KubeObject) => boolean {
  const matches = Object.entries({ group, version, kind, name, namespace }).map(([field, text]) =>
    wholeName(field, text),
  )
  const labels = labelMatcher(selectors.labelSelector)
  const annotations = labelMatcher(selectors.annotationSelector)
  return (object) => {
    const { metadata, apiVersion } = object
    const texts = [groupOf(apiVersion), versionOf(apiVersion), object.kind, metadata.name, metadata.namespace ?? '']
    return (
      matches.every((match, at) => match(texts[at] ?? '')) &&
      labels(metadata.labels) &&
      annotations(metadata.annotations)
    )
  }
}

function wholeName(field: string, pattern: string | undefined): (text: string) => boolean {
  if (pattern === undefined) return () => true
  try {
    return compileRegexp(`^(?:${pattern})$`).test
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const message = `failed to create ignore rule selector: invalid ${field} regex: ${error.message}\n`
    throw new SluiceError('REGEXP_SYNTAX', message, { where: 'spec.ignore' })
  }
}

function labelMatcher(text: string | undefined): (labels: Readonly<Record<string, string>> | undefined) => boolean {
  if (text === undefined) return () => true
  try {
    const matches = matchLabels(parseLabelSelector(text))
    return (labels) => matches({ ...labels })
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error
    throw new SluiceError('OBJECT_INVALID', error.message, { where: 'spec.ignore' })
  }
}

/** A value without some of its fields; what is not there is not missed. */
export function withoutPaths<Value>(value: Value, paths: readonly string[]): Value {
  const copy = structuredClone(value)
  for (const path of paths) {
    const tokens = tokensOf(path)
    const last = tokens.pop()
    const parent = tokens.reduce<unknown>(child, copy)
    if (last === undefined) continue
    if (Array.isArray(parent) && Number(last) < parent.length) parent.splice(Number(last), 1)
    else if (isRecord(parent)) Reflect.deleteProperty(parent, last)
  }
  return copy
}

/**
 * Says how the ignored fields that differ are left as they are: a field that another manager applied is taken out, so that we give it up; one that we
 * own alone is applied with the value it has.
 *
 * @param live with its managedFields
 * @param rehearsed what a dry run answered
 */
export function planYielding(
  live: KubeObject,
  rehearsed: KubeObject,
  paths: readonly string[],
  manager: string,
): readonly Yielding[] {
  const others = (live.metadata.managedFields ?? []).filter(
    (entry) => entry.operation === 'Apply' && (entry.subresource ?? '') === '' && entry.manager !== manager,
  )
  return paths.flatMap((path): readonly Yielding[] => {
    if (!path.startsWith('/')) throw noPointer(path)
    const value = tokensOf(path).reduce<unknown>(child, live)
    if (isDeepStrictEqual(value, tokensOf(path).reduce<unknown>(child, rehearsed))) return []
    return [isOwned(others, live, path) ? { path, do: 'strip' } : { path, do: 'adopt', value }]
  })
}

/** In the words of Flux, which takes the path for one that differs and cannot set it. */
function noPointer(path: string): SluiceError {
  const message = `replace operation does not apply: doc is missing path: ${path}: missing value\n`
  return new SluiceError('OBJECT_INVALID', message, { where: 'spec.ignore', hint: 'write a JSON pointer: /data/key' })
}

/** The object as it is applied. A field that it does not have is not adopted: the server may have filled it in. */
export function yieldFields(object: KubeObject, yielding: readonly Yielding[]): KubeObject {
  const stripped = yielding.flatMap((one) => (one.do === 'strip' ? [one.path] : []))
  const copy = withoutPaths(object, stripped)
  for (const one of yielding) {
    if (one.do === 'strip' || one.value === undefined) continue
    const tokens = tokensOf(one.path)
    const last = tokens.pop() ?? ''
    const parent = tokens.reduce<unknown>(child, copy)
    if (typeof parent === 'object' && parent !== null && child(parent, last) !== undefined)
      Reflect.set(parent, last, one.value)
  }
  return copy
}

/** Whether one of the entries owns the field; items of lists are found by the keys that managedFields name them by. */
function isOwned(entries: readonly ManagedFieldsEntry[], live: KubeObject, path: string): boolean {
  return entries.some((entry) => {
    let fields: unknown = entry.fieldsV1
    let value: unknown = live
    for (const token of tokensOf(path)) {
      const item = child(value, token)
      fields = Array.isArray(value) ? itemFields(fields, item) : child(fields, `f:${token}`)
      value = item
      if (fields === undefined) return false
    }
    return true
  })
}

function itemFields(fields: unknown, item: unknown): unknown {
  if (!isRecord(fields)) return undefined
  const key = Object.keys(fields).find((name) => {
    if (!name.startsWith('k:')) return false
    const keys: unknown = JSON.parse(name.slice(2))
    return (
      isRecord(keys) && Object.entries(keys).every(([field, wanted]) => isDeepStrictEqual(child(item, field), wanted))
    )
  })
  return key === undefined ? undefined : fields[key]
}

function child(value: unknown, token: string): unknown {
  if (Array.isArray(value)) return /^\d+$/.test(token) ? value[Number(token)] : undefined
  return isRecord(value) && Object.hasOwn(value, token) ? value[token] : undefined
}

function tokensOf(path: string): string[] {
  return path
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}
