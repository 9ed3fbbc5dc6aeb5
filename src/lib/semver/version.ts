/** A version as Masterminds/semver (the library behind Flux) reads it; numbers up to 2^64-1. */
export type Version = {
  readonly major: bigint
  readonly minor: bigint
  readonly patch: bigint
  /** Without the dash; '' for a release. */
  readonly pre: string
  /** Build metadata without the plus; it takes no part in comparisons. */
  readonly build: string
  /** As it was written, for example `v1.2.3`. */
  readonly original: string
}

const LOOSE =
  /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/
const LONGEST = 256
const UINT64 = 2n ** 64n

/**
 * Reads a version loosely: one to three numbers, an optional `v`, leading zeros allowed.
 *
 * @returns undefined when the text is no version, is longer than 256 characters, or a number is above 2^64-1
 * @see https://github.com/Masterminds/semver (NewVersion)
 */
export function parseLoose(text: string): Version | undefined {
  const found = text.length <= LONGEST ? LOOSE.exec(text) : null
  if (!found || text.endsWith('\n')) return undefined
  const [major, minor, patch] = [found[1], found[2] ?? '0', found[3] ?? '0'].map((part) => BigInt(part ?? '0'))
  const [pre, build] = [found[4] ?? '', found[5] ?? '']
  if (major === undefined || minor === undefined || patch === undefined) return undefined
  if (major >= UINT64 || minor >= UINT64 || patch >= UINT64) return undefined
  if (pre.split('.').some((part) => /^0\d+$/.test(part))) return undefined
  return { major, minor, patch, pre, build, original: text }
}

/**
 * Reads a tag as Flux does: loosely, but with two dots at least, so that a date or a build number is none.
 *
 * @returns undefined when the tag is no such version
 * @see https://github.com/fluxcd/pkg/tree/main/version
 */
export function parseTag(text: string): Version | undefined {
  return /^[^.]*\.[^.]*\./.test(text) ? parseLoose(text) : undefined
}

/** Reads a version by the letter of semver.org: three numbers without leading zeros, one `v` in front allowed; undefined when it is none. */
export function parseStrict(text: string): Version | undefined {
  if (!/^v?(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:[-+]|$)/.test(text)) return undefined
  return parseLoose(text)
}

/** Orders two versions: negative, 0 or positive; build metadata does not count. */
export function compareVersions(a: Version, b: Version): number {
  return (
    compareNumbers(a.major, b.major) ||
    compareNumbers(a.minor, b.minor) ||
    compareNumbers(a.patch, b.patch) ||
    comparePrereleases(a.pre, b.pre)
  )
}

/** Orders two prerelease texts; '' (a release) is the highest. */
export function comparePrereleases(a: string, b: string): number {
  if (a === b) return 0
  if (a === '') return 1
  if (b === '') return -1
  const [left, right] = [a.split('.'), b.split('.')]
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const order = compareParts(left[i] ?? '', right[i] ?? '')
    if (order !== 0) return order
  }
  return 0
}

function compareParts(a: string, b: string): number {
  if (a === b) return 0
  if (a === '') return -1
  if (b === '') return 1
  const [aIsNumber, bIsNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (aIsNumber && bIsNumber) return compareNumbers(BigInt(a), BigInt(b))
  if (aIsNumber !== bIsNumber) return aIsNumber ? -1 : 1
  return a < b ? -1 : 1
}

function compareNumbers(a: bigint, b: bigint): number {
  return a === b ? 0 : a < b ? -1 : 1
}
