import { SluiceError } from '../../lib/error/sluice-error.ts'
import { evaluateTemplate, type Scope } from './expression.ts'
import { isList, isMap, type Json, type Template } from './template.ts'

/** One combination of a matrix: values by name. */
export type Combination = Readonly<Record<string, Json>>

/** How a job is multiplied. */
export type Strategy = {
  readonly combinations: readonly Combination[]
  readonly failFast: boolean
  readonly maxParallel: number
}

const MOST_COMBINATIONS = 256
/** Of `include` and `exclude`: each is compared with every combination. */
const MOST_RULES = 10_000

/**
 * Expands `strategy`: the product of all lists, less `exclude`, plus `include`.
 *
 * A job without a matrix has one empty combination.
 * @throws SluiceError WORKFLOW_INVALID beyond 256 combinations or 10,000 entries of `include` and `exclude`, or when the matrix is no map of lists
 */
export function expandStrategy(template: Template | undefined, scope: Scope): Strategy {
  const value = template === undefined ? {} : evaluateTemplate(template, scope)
  const strategy = isMap(value) ? value : {}
  const combinations = strategy['matrix'] === undefined ? [{}] : expand(strategy['matrix'], template, scope)
  const most = strategy['max-parallel']
  return {
    combinations,
    failFast: strategy['fail-fast'] !== false,
    maxParallel: typeof most === 'number' && most > 0 ? most : Number.POSITIVE_INFINITY,
  }
}

function expand(matrix: Json, template: Template | undefined, scope: Scope): readonly Combination[] {
  const fault = (message: string): SluiceError =>
    new SluiceError('WORKFLOW_INVALID', message, {
      where: `${scope.file}:${template?.at.line ?? 1}:${template?.at.column ?? 1}`,
    })
  if (!isMap(matrix)) throw fault('the matrix is not a map of lists')
  const [included, excluded] = [mapsOf(matrix['include']), mapsOf(matrix['exclude'])]
  if (included.length + excluded.length > MOST_RULES)
    throw fault(`the matrix has more than ${MOST_RULES} entries of "include" and "exclude"`)
  const axes = Object.entries(matrix).filter(([name]) => name !== 'include' && name !== 'exclude')
  let all: Combination[] = axes.length > 0 ? [{}] : []
  for (const [name, values] of axes) {
    if (!isList(values)) throw fault(`"${name}" of the matrix is not a list`)
    if (all.length * values.length > MOST_COMBINATIONS) throw fault('the matrix has more than 256 combinations')
    all = all.flatMap((one) => values.map((value) => ({ ...one, [name]: value })))
  }
  const kept = all.filter((one) => !excluded.some((part) => covers(one, part)))
  const result = include(kept, included, new Set(axes.map(([name]) => name)))
  if (result.length > MOST_COMBINATIONS) throw fault('the matrix has more than 256 combinations')
  return result
}

/** An `include` extends each combination whose own values it does not change, else it is a combination of its own. */
function include(
  kept: readonly Combination[],
  included: readonly Combination[],
  axes: ReadonlySet<string>,
): readonly Combination[] {
  const grown = kept.map((one) => ({ original: one, now: one }))
  const added: Combination[] = []
  for (const extra of included) {
    const own = Object.fromEntries(Object.entries(extra).filter(([name]) => axes.has(name)))
    const fitting = grown.filter(({ original }) => covers(original, own))
    for (const one of fitting) one.now = { ...one.now, ...extra }
    if (fitting.length === 0) added.push(extra)
  }
  return [...grown.map(({ now }) => now), ...added]
}

function covers(combination: Combination, part: Combination): boolean {
  return Object.entries(part).every(([name, value]) => isSame(combination[name], value))
}

function isSame(a: Json | undefined, b: Json): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  return spell(a) === spell(b)
}

const spelled = new WeakMap<object, string>()

/** Large values are compared with each other many times. */
function spell(value: object): string {
  const text = spelled.get(value) ?? JSON.stringify(value)
  spelled.set(value, text)
  return text
}

function mapsOf(value: Json | undefined): readonly Combination[] {
  return value !== undefined && isList(value) ? value.filter(isMap) : []
}
