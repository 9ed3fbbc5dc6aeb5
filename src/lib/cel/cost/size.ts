/** How many items, letters or bytes a value has: what is known beforehand. */
export type Size = { readonly least: number; readonly most: number }

/** What stands for "no bound": nothing counts further. */
export const BOUNDLESS = 2 ** 64

const UNKNOWN: Size = { least: 0, most: BOUNDLESS }

/** Units that one letter costs when a text is read once. */
export const PER_LETTER = 0.1
/** Units that one letter of a regular expression costs. */
export const PER_REGEXP_LETTER = 0.25

export const exactly = (count: number): Size => ({ least: count, most: count })

export const known = (size: Size | undefined): Size => size ?? UNKNOWN

/** @returns the sum, at most BOUNDLESS */
export const sum = (...counts: readonly number[]): number =>
  Math.min(
    BOUNDLESS,
    counts.reduce((all, each) => all + each, 0),
  )

/** @returns the product, at most BOUNDLESS */
export const product = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : Math.min(BOUNDLESS, a * b))

/** What so many units cost, in whole numbers. */
export const costOf = (count: number, perUnit: number): number => Math.min(BOUNDLESS, Math.ceil(count * perUnit))

/** What it costs to read a text or list of this size once. */
export const readingOf = (size: Size | undefined, perUnit = PER_LETTER): number => costOf(known(size).most, perUnit)

export const added = (a: Size, b: Size): Size => ({ least: sum(a.least, b.least), most: sum(a.most, b.most) })

export const multiplied = (a: Size, b: Size): Size => ({
  least: product(a.least, b.least),
  most: product(a.most, b.most),
})

/** Either of the two. */
export const either = (a: Size, b: Size): Size => ({
  least: Math.min(a.least, b.least),
  most: Math.max(a.most, b.most),
})
