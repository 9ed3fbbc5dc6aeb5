import { at, type Json, type JsonObject, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { addQuantities, isQuantityError, parseQuantity } from '../../../lib/kube/quantity.ts'
import type { Obj } from '../object.ts'
import { type Column, NAME, text } from './columns.ts'

const NAMED = { ...NAME, description: 'Name of the resource' }
const RESOURCES = ['cpu', 'memory']

/** Columns of what is measured, as metrics-server has them. */
export const METRICS_COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  'metrics.k8s.io/nodes': columnsOf((node) => [objectOf(node.usage)]),
  'metrics.k8s.io/pods': columnsOf((pod) => objectsOf(pod.containers).map(({ usage }) => objectOf(usage))),
}

function columnsOf(usagesOf: (object: Obj) => readonly JsonObject[]): readonly Column[] {
  const quantity = (name: string): Column => ({
    ...text(name, (object) => total(usagesOf(object).map((usage) => usage[name]))),
    format: 'quantity',
    description: '',
  })
  const window = { ...text('Window', (object) => at(object, 'window') ?? ''), format: 'duration', description: '' }
  return [NAMED, ...RESOURCES.map(quantity), window]
}

function total(amounts: readonly (Json | undefined)[]): string {
  const [first, ...others] = amounts.flatMap((amount) => {
    const quantity = parseQuantity(stringOf(amount))
    return isQuantityError(quantity) ? [] : [quantity]
  })
  if (first === undefined) return ''
  return others.reduce((sum, each) => addQuantities(sum, each), first).text
}
