/** `matchLabels` and `matchExpressions`, all of which must hold. */
export type LabelSelector = {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly LabelExpression[]
}

/** One condition of a selector: `In`, `NotIn`, `Exists`, `DoesNotExist`, for nodes also `Gt` and `Lt`. */
export type LabelExpression = {
  readonly key: string
  readonly operator: string
  readonly values?: readonly string[]
}

/** Labels as they stand in an object; what is not a text is selected by its presence alone. */
type Labels = Readonly<Record<string, unknown>>

/** Whether labels satisfy a selector; an empty selector matches everything, an absent one nothing. */
export function matchesSelector(selector: LabelSelector | undefined, labels: Labels = {}): boolean {
  if (!selector) return false
  for (const [key, value] of Object.entries(selector.matchLabels ?? {}))
    if (labelOf(labels, key) !== value) return false
  return (selector.matchExpressions ?? []).every((expression) => matchesExpression(expression, labels))
}

/** Whether labels satisfy one expression; one with an operator that Kubernetes does not know is never satisfied. */
export function matchesExpression({ key, operator, values = [] }: LabelExpression, labels: Labels): boolean {
  const value = labelOf(labels, key)
  switch (operator) {
    case 'In':
      return typeof value === 'string' && values.includes(value)
    case 'NotIn':
      return typeof value !== 'string' || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return isWhole(value) && Number(value) > Number(values[0])
    case 'Lt':
      return isWhole(value) && Number(value) < Number(values[0])
    default:
      return false
  }
}

/** Only whole numbers are more or less than others. */
const isWhole = (value: unknown): value is string => typeof value === 'string' && /^[-+]?\d+$/.test(value)

/** A label may be called `constructor`. */
function labelOf(labels: Labels, key: string): unknown {
  return Object.hasOwn(labels, key) ? labels[key] : undefined
}
