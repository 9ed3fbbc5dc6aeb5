import { isObject, type Json, listOf } from '../../../lib/kube/json.ts'

/**
 * The first value that a printer column's path finds: fields, `[0]`, `[*]`, `['a.b']` and filters `[?(@.type=="Ready")]`.
 *
 * Other JSONPath is not understood and finds nothing.
 */
export function firstAt(value: Json, path: string): Json | undefined {
  let found: (Json | undefined)[] = [value]
  for (const step of stepsOf(path)) found = found.flatMap((each) => follow(each, step))
  return found.find((each) => each !== undefined)
}

const STEP =
  /\.([^.[\]]+(?:\\\.[^.[\]]+)*)|\[\s*'([^']*)'\s*\]|\[\s*"([^"]*)"\s*\]|\[(\d+|\*)\]|\[\?\(\s*@\.([\w.]+)\s*(?:==|=)\s*(?:"([^"]*)"|'([^']*)'|(\w+))\s*\)\]/y

type Step = {
  readonly field?: string
  readonly index?: number | '*'
  readonly filter?: { readonly path: string; readonly value: string }
}

function stepsOf(path: string): Step[] {
  const text = path.startsWith('.') || path.startsWith('[') ? path : `.${path}`
  const steps: Step[] = []
  for (const match of text.matchAll(new RegExp(STEP.source, 'g'))) {
    const [, plain, single, double, index, filter] = match
    if (plain !== undefined) steps.push({ field: plain.replaceAll('\\.', '.') })
    else if (single !== undefined || double !== undefined) steps.push({ field: single ?? double ?? '' })
    else if (index !== undefined) steps.push({ index: index === '*' ? '*' : Number(index) })
    else if (filter !== undefined)
      steps.push({ filter: { path: filter, value: match[6] ?? match[7] ?? match[8] ?? '' } })
  }
  return steps
}

function follow(value: Json | undefined, { field, index, filter }: Step): (Json | undefined)[] {
  if (value === undefined) return []
  if (field !== undefined) return isObject(value) && value[field] !== undefined ? [value[field]] : []
  if (index === '*') return listOf(value)
  if (index !== undefined) return listOf(value).slice(index, index + 1)
  if (filter === undefined) return []
  return listOf(value).filter((each) => String(firstAt(each, filter.path) ?? '') === filter.value)
}
