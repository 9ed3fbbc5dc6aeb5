import type { ManifestHeld, RepositoryHeld } from '../../lib/oci/contents.ts'
import { parseTag } from '../../lib/semver/version.ts'

/** What is kept besides what is in use. */
export type RetentionRules = {
  /** So many of the images with tags that were pushed last, of each repository. */
  readonly newest: number
  /** So many releases (tags that are whole versions: `1.2.0`, `v1.2.0`) that were pushed last, of each repository. */
  readonly releases: number
  /** Everything that was pushed so recently. */
  readonly youngerThanMs: number
}

/** What a small team wants: the last working weeks, and every release for a long time. */
export const RETENTION: RetentionRules = { newest: 20, releases: 100, youngerThanMs: 14 * 24 * 3600 * 1000 }

/** An image that must stay, by a tag or digest, and who needs it. */
export type Pin = { readonly repository: string; readonly version: string; readonly by: string }

/** An image and why it stays or goes. */
export type Retained = {
  readonly repository: string
  readonly digest: string
  readonly tags: readonly string[]
  readonly why: string
}

/** What is kept and what is removed, each with the reason, and what that frees. */
export type Retention = {
  readonly kept: readonly Retained[]
  readonly removed: readonly Retained[]
  readonly freedBytes: number
}

/**
 * Decides which images of a registry stay. Pure.
 *
 * An index keeps the images it names; a signature, by its subject or by cosign's tag, stays and goes with what it signs.
 * What neither rule nor pin speaks for goes with all its tags.
 */
export function decideRetention(
  repositories: readonly RepositoryHeld[],
  pins: readonly Pin[],
  rules: RetentionRules,
  nowMs: number,
): Retention {
  const all = repositories.map((repository) => decideRepository(repository, pins, rules, nowMs))
  const kept = all.flatMap((one) => one.kept)
  const removed = all.flatMap((one) => one.removed)
  return { kept, removed, freedBytes: freedBytes(repositories, new Set(kept.map(keyOf))) }
}

function decideRepository(
  { name, manifests }: RepositoryHeld,
  pins: readonly Pin[],
  rules: RetentionRules,
  nowMs: number,
): { readonly kept: readonly Retained[]; readonly removed: readonly Retained[] } {
  const why = new Map<string, string>()
  const own = pins.filter(({ repository }) => repository === name)
  for (const manifest of manifests) {
    const reason = reasonOf(manifest, own, rules, nowMs)
    if (reason !== undefined) why.set(manifest.digest, reason)
  }
  keepNewest(manifests.filter(isImage), rules.newest, `one of the ${rules.newest} pushed last`, why)
  keepNewest(manifests.filter(isRelease), rules.releases, `one of the ${rules.releases} releases pushed last`, why)
  keepWithOthers(manifests, why)
  const told = manifests.map(({ digest, tags }) => ({
    repository: name,
    digest,
    tags,
    why: why.get(digest) ?? 'nothing needs it',
  }))
  return { kept: told.filter(({ digest }) => why.has(digest)), removed: told.filter(({ digest }) => !why.has(digest)) }
}

function reasonOf(
  manifest: ManifestHeld,
  pins: readonly Pin[],
  rules: RetentionRules,
  nowMs: number,
): string | undefined {
  const pin = pins.find(({ version }) => version === manifest.digest || manifest.tags.includes(version))
  if (pin !== undefined) return pin.by
  const days = Math.round(rules.youngerThanMs / (24 * 3600 * 1000))
  return nowMs - manifest.pushedAtMs < rules.youngerThanMs ? `pushed within the last ${days} days` : undefined
}

function keepNewest(manifests: readonly ManifestHeld[], count: number, reason: string, why: Map<string, string>): void {
  const newest = [...manifests].sort((a, b) => b.pushedAtMs - a.pushedAtMs).slice(0, count)
  for (const { digest } of newest) if (!why.has(digest)) why.set(digest, reason)
}

/** Keeps what kept ones are made of and what is said about them, until nothing is added. */
function keepWithOthers(manifests: readonly ManifestHeld[], why: Map<string, string>): void {
  for (let before = -1; before !== why.size;) {
    before = why.size
    for (const { digest, isIndex, parts, subject, tags } of manifests) {
      const signed = subject ?? tags.map(signedBy).find((one) => one !== undefined)
      if (signed !== undefined && why.has(signed) && !why.has(digest)) why.set(digest, `belongs to ${signed}`)
      if (!isIndex || !why.has(digest)) continue
      for (const part of parts) if (!why.has(part.digest)) why.set(part.digest, `belongs to ${digest}`)
    }
  }
}

/** Something that people pull by name: neither a part of an index nor a signature. */
function isImage({ tags, subject }: ManifestHeld): boolean {
  return subject === undefined && tags.some((tag) => signedBy(tag) === undefined)
}

function isRelease(manifest: ManifestHeld): boolean {
  return isImage(manifest) && manifest.tags.some((tag) => parseTag(tag)?.pre === '')
}

/** cosign's tags for what it says about an image: `sha256-<hex>.sig`. */
function signedBy(tag: string): string | undefined {
  const hex = /^sha256-([0-9a-f]{64})(\.\w+)?$/.exec(tag)?.[1]
  return hex && `sha256:${hex}`
}

/** The bytes of what no kept manifest of any repository refers to. */
function freedBytes(repositories: readonly RepositoryHeld[], kept: ReadonlySet<string>): number {
  const sizes = new Map<string, number>()
  const needed = new Set<string>()
  for (const { name, manifests } of repositories)
    for (const { digest, sizeBytes, parts } of manifests)
      for (const part of [{ digest, sizeBytes }, ...parts]) {
        sizes.set(part.digest, part.sizeBytes)
        if (kept.has(keyOf({ repository: name, digest }))) needed.add(part.digest)
      }
  return [...sizes].reduce((sum, [digest, bytes]) => (needed.has(digest) ? sum : sum + bytes), 0)
}

function keyOf({ repository, digest }: { readonly repository: string; readonly digest: string }): string {
  return `${repository}@${digest}`
}
