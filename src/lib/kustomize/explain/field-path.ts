import type { YamlNode } from '../../yaml/nodes.ts'

/** A step of a path to a field: a name, a position, or `[name=web]`. */
export type PathStep = string | number | { readonly key: string; readonly value: string }

/**
 * Parses a path such as `spec.containers[0].image`, `spec.containers[name=web].image` or `metadata.labels["a.b/c"]`.
 *
 * `\.` is a dot inside a name; a name with dots may also be written as it is.
 */
export function parseFieldPath(text: string): PathStep[] {
  const steps: PathStep[] = []
  const pattern = /\[(?:"((?:[^"\\]|\\.)*)"|(\d+)|([^\]=]+)=([^\]]*))\]|((?:\\.|[^.[\\])+)|\.|[[\\]/g
  for (const [, quoted, index, key, value, name] of text.matchAll(pattern)) {
    if (quoted !== undefined) steps.push(quoted.replace(/\\(.)/g, '$1'))
    else if (index !== undefined) steps.push(Number(index))
    else if (key !== undefined) steps.push({ key, value: value ?? '' })
    else if (name !== undefined) steps.push(name.replace(/\\(.)/g, '$1'))
  }
  return steps
}

/** The text of a path; names that hold more than letters, digits, `-` and `_` stand in brackets. */
export function renderFieldPath(steps: readonly (string | number)[]): string {
  let text = ''
  for (const step of steps) {
    if (typeof step === 'number') text += `[${step}]`
    else if (/^[\w-]+$/.test(step)) text += text === '' ? step : `.${step}`
    else text += `[${JSON.stringify(step)}]`
  }
  return text
}

/** The node at a path, and the path as positions and names; undefined when there is none. */
export function followPath(
  node: YamlNode,
  steps: readonly PathStep[],
): { readonly node: YamlNode; readonly path: readonly (string | number)[] } | undefined {
  const path: (string | number)[] = []
  let at = node
  let rest = [...steps]
  while (rest.length > 0) {
    const found = at.kind === 'map' ? fieldOf(at.fields, rest) : at.kind === 'seq' ? itemOf(at.items, rest) : undefined
    if (!found) return undefined
    path.push(found.name)
    at = found.node
    rest = found.rest
  }
  return { node: at, path }
}

type Found = { readonly name: string | number; readonly node: YamlNode; readonly rest: PathStep[] }

/** A name may hold dots: as many steps as make the name of a field. */
function fieldOf(fields: ReadonlyMap<string, YamlNode>, steps: readonly PathStep[]): Found | undefined {
  let name = ''
  for (const [index, step] of steps.entries()) {
    if (typeof step === 'object') return undefined
    name += index === 0 ? String(step) : `.${step}`
    const node = fields.get(name)
    if (node) return { name, node, rest: steps.slice(index + 1) }
  }
  return undefined
}

function itemOf(items: readonly YamlNode[], [step, ...rest]: readonly PathStep[]): Found | undefined {
  if (step === undefined) return undefined
  const isIndex = typeof step === 'number' || (typeof step === 'string' && /^\d+$/.test(step))
  const wanted = typeof step === 'object' ? step : { key: 'name', value: String(step) }
  const index = isIndex ? Number(step) : items.findIndex((item) => textOf(item, wanted.key) === wanted.value)
  const node = items[index]
  return node && { name: index, node, rest }
}

function textOf(item: YamlNode, key: string): string | undefined {
  const field = item.kind === 'map' ? item.fields.get(key) : undefined
  return field?.kind === 'scalar' ? field.value : undefined
}
