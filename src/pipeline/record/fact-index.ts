import type { Fact } from './fact.ts'

/** The facts of one kind. */
export type FactOf<Kind extends Fact['kind']> = Extract<Fact, { readonly kind: Kind }>

/** Facts sorted by time, without repetitions, by kind. */
export type FactIndex = { readonly [Kind in Fact['kind']]: readonly FactOf<Kind>[] }

/**
 * Sorts and indexes facts: whatever the order of arrival, and however often a fact comes, the index is the same.
 */
export function indexFacts(facts: Iterable<Fact>): FactIndex {
  const unique = new Map<string, Fact>()
  for (const fact of facts) unique.set(canonical(fact), fact)
  const sorted = [...unique].sort(([a, x], [b, y]) => compare(x.at, y.at) || compare(a, b)).map(([, fact]) => fact)
  const of = <Kind extends Fact['kind']>(kind: Kind): FactOf<Kind>[] =>
    sorted.filter((fact): fact is FactOf<Kind> => fact.kind === kind)
  return {
    push: of('push'),
    run: of('run'),
    image: of('image'),
    policy: of('policy'),
    'write-back': of('write-back'),
    source: of('source'),
    build: of('build'),
    apply: of('apply'),
    health: of('health'),
    pod: of('pod'),
  }
}

/** The same text for the same fact, whatever the order of its fields. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => compare(a, b)))
      : inner,
  )
}

/** Orders texts by code unit. */
export function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}

/** `main@sha1:abc` -> `abc`; also `sha1:abc` and a bare commit. */
export function commitOfRevision(revision: string): string {
  return revision.slice(revision.lastIndexOf(':') + 1)
}

/** `main@sha1:abc` -> `main`; undefined when the revision names no branch or tag. */
export function branchOfRevision(revision: string): string | undefined {
  const at = revision.lastIndexOf('@')
  return at < 0 ? undefined : shortRef(revision.slice(0, at))
}

/** `refs/heads/main` -> `main`. */
export function shortRef(ref: string): string {
  return ref.replace(/^refs\/(?:heads|tags|for)\//, '')
}

/** An image reference in its parts; the digest without its tag when there is none. */
export function splitImage(text: string): { readonly name: string; readonly tag: string; readonly digest: string } {
  const [named = '', digest = ''] = text.split('@')
  const colon = named.lastIndexOf(':')
  return colon > named.lastIndexOf('/')
    ? { name: named.slice(0, colon), tag: named.slice(colon + 1), digest }
    : { name: named, tag: '', digest }
}

/** The last part of an image's name: what people call the service. */
export function serviceOf(image: string): string {
  return image.slice(image.lastIndexOf('/') + 1)
}

/** Every image that a build runs. */
export function imagesOf(build: FactOf<'build'>): readonly ReturnType<typeof splitImage>[] {
  return build.workloads.flatMap((workload) => workload.images).map(splitImage)
}
