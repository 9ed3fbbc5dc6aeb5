import { seqNode, stringNode } from '../../yaml/make-nodes.ts'
import { type YamlNode, type YamlSeq } from '../../yaml/nodes.ts'
import { wrongKind } from '../failure.ts'
import { isNull } from '../objects/null.ts'
import type { ListKeys } from '../schema/merge-keys.ts'
import { sharePlace } from '../objects/provenance.ts'

/** Merges an element with its counterpart of the patch; undefined means that it goes. */
export type MergeElement = (dest: YamlNode | undefined, patch: YamlNode | undefined) => YamlNode | undefined

/**
 * Merges a list whose elements are named by keys: elements of the patch first, then what the list had besides.
 *
 * The quirks are kustomize's: an absent secondary key matches any, an element without any key matches the first that has one.
 * @see https://github.com/kubernetes-sigs/kustomize/blob/master/kyaml/yaml/walk/associative_sequence.go
 */
export function mergeKeyedList(
  dest: YamlSeq,
  patch: YamlSeq | undefined,
  keys: ListKeys,
  mergeElement: MergeElement,
): YamlSeq | undefined {
  if (patch === undefined && isTidy(dest, keys)) return mergeEachAlone(dest, mergeElement)
  let values = distinctValues(patch, dest, keys)
  const names = keys.length === 0 ? [''] : keys
  if (names.length > 1) values = joinPartial(values)
  const added = seqNode()
  let valid: { keys: readonly string[]; values: readonly string[] } = { keys: names, values: [] }
  for (const value of values) {
    if (value.length === 0) continue
    valid = validKeys(values, value, names)
    const narrowed = validKeys([valid.values], valid.values, valid.keys)
    const own = findElement(dest, narrowed.keys, narrowed.values)
    const given = findElement(patch, narrowed.keys, narrowed.values)
    for (const key of narrowed.keys) sharePlace(own, given, key)
    const merged = mergeElement(own, given)
    placeElement(added, dest, merged, valid)
  }
  if (values.length === 0) return dest
  return appendRest(added, dest, valid.keys)
}

/** Every element is a mapping with all its keys, and no two are the same: nothing to sort out. */
function isTidy(list: YamlSeq, keys: ListKeys): boolean {
  const seen = new Set<string>()
  for (const item of list.items) {
    if (keys.length === 0) {
      if (item.kind !== 'scalar' || isNull(item) || seen.has(item.value)) return false
      seen.add(item.value)
      continue
    }
    if (item.kind !== 'map') return false
    const values = keys.map((key) => valueOf(item, key))
    if (values.includes('')) return false
    const id = values.join('\n')
    if (seen.has(id)) return false
    seen.add(id)
  }
  return true
}

function mergeEachAlone(list: YamlSeq, mergeElement: MergeElement): YamlSeq {
  list.items.forEach((item, index) => {
    const merged = mergeElement(item, undefined)
    if (merged) list.items[index] = merged
  })
  return list
}

function valueOf(item: YamlNode | undefined, key: string): string {
  if (item?.kind !== 'map') return ''
  const value = item.fields.get(key)
  return value?.kind === 'scalar' && !isNull(value) ? value.value : ''
}

/** The key values of all elements, the patch's before the list's. */
function distinctValues(patch: YamlSeq | undefined, dest: YamlSeq, keys: ListKeys): string[][] {
  const seen = new Set<string>()
  const found: string[][] = []
  for (const list of [patch, dest]) {
    for (const item of list?.items ?? []) {
      const values =
        keys.length === 0 ? [item.kind === 'scalar' ? item.value : ''] : keys.map((key) => valueOf(item, key))
      const id = values.join('\n')
      if (seen.has(id)) continue
      seen.add(id)
      found.push(values)
    }
  }
  return found
}

/** Fills absent key values from an element that agrees in another key. */
function joinPartial(list: string[][]): string[][] {
  const joined = [...list]
  for (let i = 0; i < joined.length; i++) {
    for (let j = 0; j < joined.length; j++) {
      const match = joinValues(joined[i] ?? [], joined[j] ?? [])
      if (!match) continue
      joined[i] = match
      joined[j] = match
    }
  }
  return joined
}

function joinValues(a: readonly string[], b: readonly string[]): string[] | undefined {
  if (a.length !== b.length) return undefined
  let hasCommon = false
  const joined: string[] = []
  for (let i = 0; i < a.length; i++) {
    const x = a[i] ?? ''
    const y = b[i] ?? ''
    if (x === y) hasCommon = true
    else if (x !== '' && y !== '') return undefined
    joined.push(x !== '' ? x : y)
  }
  return hasCommon ? joined : undefined
}

type Keyed = { readonly keys: readonly string[]; readonly values: readonly string[] }

/** The keys that any element has; all of them when none has one. */
function validKeys(list: readonly (readonly string[])[], values: readonly string[], keys: readonly string[]): Keyed {
  const used = new Set<string>()
  for (const other of list) other.forEach((value, index) => value !== '' && used.add(keys[index] ?? ''))
  if (used.size === 0) return { keys, values }
  return {
    keys: keys.filter((key) => used.has(key)),
    values: values.filter((value, index) => value !== '' || used.has(keys[index] ?? '')),
  }
}

function findElement(
  list: YamlSeq | undefined,
  keys: readonly string[],
  values: readonly string[],
): YamlNode | undefined {
  if (keys[0] === '') return list?.items.find((item) => (item.kind === 'scalar' ? item.value : '') === values[0])
  return list?.items.find((item) => item.kind === 'map' && matchesAll(item, keys, values))
}

/** Unlike {@link setElement}, an absent key is only found where the field is empty. */
function matchesAll(item: YamlNode, keys: readonly string[], values: readonly string[]): boolean {
  return keys.every((key, index) => {
    const field = item.kind === 'map' ? item.fields.get(key) : undefined
    return field !== undefined && (field.kind === 'scalar' ? field.value : '') === (values[index] ?? '')
  })
}

function matchesField(item: YamlNode, key: string, value: string): boolean {
  if (isNull(item)) return false
  if (key === '') return item.kind === 'scalar' && item.value === value
  if (item.kind !== 'map') return false
  const field = item.fields.get(key)
  if (field === undefined) return false
  return value === '' || (field.kind === 'scalar' && field.value === value)
}

function placeElement(added: YamlSeq, dest: YamlSeq, merged: YamlNode | undefined, { keys, values }: Keyed): void {
  const isEmpty = merged === undefined || isNull(merged) || (merged.kind === 'map' && merged.fields.size === 0)
  if (isEmpty) {
    for (let i = 0; i < keys.length; i++) setElement(dest, keys, values, undefined)
    return
  }
  if (merged.kind === 'map') {
    keys.forEach((key, index) => {
      const value = values[index] ?? ''
      if (!merged.fields.has(key) && value !== '') merged.fields.set(key, { ...stringNode(value), tag: '' })
    })
  }
  setElement(added, keys, values, merged)
}

/** Replaces the elements that match, or appends; `undefined` removes them. Empty elements go in passing. */
function setElement(
  list: YamlSeq,
  keys: readonly string[],
  values: readonly string[],
  element: YamlNode | undefined,
): void {
  const kept: YamlNode[] = []
  let isFound = false
  const wantsMap = (keys[0] ?? '') !== '' && (values[0] ?? '') !== ''
  for (const item of list.items) {
    if (isNull(item) || (item.kind === 'map' && item.fields.size === 0)) continue
    if (item.kind !== 'map' && wantsMap) {
      kept.push(item)
      continue
    }
    const isMatch =
      values.length > 0 &&
      keys.every((key, index) => index >= values.length || matchesField(item, key, values[index] ?? ''))
    if (!isMatch) {
      if (values.length > 0) kept.push(item)
      continue
    }
    isFound = true
    if (element) kept.push(element)
  }
  if (element && !isFound) kept.push(element)
  list.items = kept
}

function appendRest(added: YamlSeq, dest: YamlSeq, keys: readonly string[]): YamlSeq {
  for (const item of dest.items) {
    if (keys[0] === '') {
      setElement(added, [''], [item.kind === 'scalar' ? item.value : ''], item)
      continue
    }
    if (item.kind !== 'map' && !isNull(item)) throw wrongKind('map', item, 'give the element the keys of this list')
    const values: string[] = []
    for (const key of keys) {
      const field = item.kind === 'map' ? item.fields.get(key) : undefined
      if (field === undefined) added.items.push(item)
      else values.push(field.kind === 'scalar' ? field.value : '')
    }
    if (keys.length > 1) setElement(added, keys, values, undefined)
    setElement(added, keys, values, item)
  }
  return { ...dest, items: added.items }
}
