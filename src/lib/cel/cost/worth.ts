import { exactly, type Size } from './size.ts'

/** What the type of a value allows: the most items, letters or bytes, and what is inside. */
export type CelShape = {
  readonly most: number
  readonly fields?: Readonly<Record<string, CelShape>>
  readonly element?: CelShape
  readonly key?: CelShape
}

/** A type as the checker of types leaves it at a node. */
export type NodeType = {
  readonly kind: string
  readonly name: string
  readonly valueType?: NodeType
  readonly keyType?: NodeType
}

/** A node of a parsed expression, as far as costs depend on it. */
export type Node = { readonly op: string; readonly args: unknown; readonly checkedType?: NodeType }

/** Sizes of the keys and values of a list or map that the expression itself made. */
export type Entries = { readonly kind: 'list' | 'map'; readonly key: Size; readonly value: Size }

/** What is known of a part of an expression: its cost, its size and from which place of `self` it comes. */
export type Worth = {
  readonly node: Node
  readonly cost: number
  readonly path: readonly string[]
  readonly size?: Size | undefined
  readonly entries?: Entries | undefined
}

/**
 * The size that the shape allows at a path, which begins with a variable; undefined where there is no such place.
 * The variable's name does not count: `self` and `oldSelf` have one shape.
 */
export function sizeAt(path: readonly string[], shape: CelShape): Size | undefined {
  if (path.length === 0) return undefined
  let here: CelShape | undefined = shape
  for (const step of path.slice(1)) {
    if (step === '@items' || step === '@values') here = here.element
    else here = step === '@keys' ? here.key : here.fields?.[step]
    if (here === undefined) return undefined
  }
  return { least: 0, most: here.most }
}

const SCALARS = ['bool', 'double', 'int', 'uint', 'google.protobuf.Duration', 'google.protobuf.Timestamp']

/** The size of a value by its type: 1 for numbers and their like. */
export function sizeOfType(type: NodeType | undefined): Size | undefined {
  if (type?.kind === 'optional') return sizeOfType(type.valueType)
  return type !== undefined && SCALARS.includes(type.name) ? exactly(1) : undefined
}

/** True when a value of this type may be one of these; what is of any type may be all. */
export const mayBe = (type: NodeType | undefined, ...names: readonly string[]): boolean =>
  type === undefined ||
  type.kind === 'dyn' ||
  type.kind === 'param' ||
  names.some((name) => type.kind === name || type.name === name)
