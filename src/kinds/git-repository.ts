import type { KubeObject } from '../lib/kube/object.ts'
import { read, readList, readText } from '../lib/kube/read.ts'
import { optionalText, textList } from './flux-object.ts'
import { parseSourceObject, type SourceObject } from './source.ts'

/** An entry of `spec.include`. */
export type Include = { readonly name: string; readonly fromPath: string; readonly toPath: string }

/** `spec.ref`: which commit is meant. */
export type GitRef = {
  readonly branch?: string
  readonly tag?: string
  readonly semver?: string
  readonly name?: string
  readonly commit?: string
}

/** A GitRepository of any version: one superset, defaults filled in. */
export type GitRepository = SourceObject & {
  readonly url: string
  readonly ref: GitRef
  readonly include: readonly Include[]
  readonly sparseCheckout: readonly string[]
  readonly recurseSubmodules: boolean
  readonly verify: { readonly mode: string; readonly secretName: string } | undefined
}

/**
 * Reads a GitRepository of any API version that Flux ever served. `gitImplementation` and `accessFrom` of old versions have no meaning any more.
 *
 * @throws SluiceError OBJECT_INVALID for a duration that is none
 */
export function parseGitRepository(object: KubeObject): GitRepository {
  const verify = read(object, 'spec', 'verify')
  return {
    url: readText(object, 'spec', 'url'),
    ref: parseGitRef(read(object, 'spec', 'ref')),
    include: readList(object, 'spec', 'include').map(parseInclude),
    sparseCheckout: textList(object, 'spec', 'sparseCheckout'),
    recurseSubmodules: read(object, 'spec', 'recurseSubmodules') === true,
    verify:
      verify === undefined
        ? undefined
        : { mode: modeOf(readText(verify, 'mode')), secretName: readText(verify, 'secretRef', 'name') },
    ...parseSourceObject(object),
  }
}

/** Reads the fields of a `ref`; what is not there or empty is left out, and a range beside a tag, which counts for nothing. */
export function parseGitRef(value: unknown): GitRef {
  const fields = ['branch', 'tag', 'semver', 'name', 'commit'] as const
  const { semver, ...ref }: GitRef = Object.fromEntries(
    fields.flatMap((field) => {
      const text = optionalText(value, field)
      return text === undefined ? [] : [[field, text]]
    }),
  )
  return semver === undefined || ref.tag !== undefined ? ref : { ...ref, semver }
}

function parseInclude(entry: unknown): Include {
  const name = readText(entry, 'repository', 'name')
  return { name, fromPath: readText(entry, 'fromPath'), toPath: readText(entry, 'toPath') || name }
}

/** What is none of today's modes means HEAD: `head`, as it was written once, or nothing. */
function modeOf(text: string): string {
  return text === 'Tag' || text === 'TagAndHEAD' ? text : 'HEAD'
}
