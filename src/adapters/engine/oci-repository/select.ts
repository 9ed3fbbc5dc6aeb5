import type { OciRepository } from '../../../kinds/oci-repository.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { compileRegexp } from '../../../lib/go-regexp/go-regexp.ts'
import { parseDigest } from '../../../lib/oci/digest.ts'
import { isTag, parseRepository, type Repository } from '../../../lib/oci/reference.ts'
import { parseConstraint, satisfies } from '../../../lib/semver/constraint.ts'
import { compareVersions, parseTag } from '../../../lib/semver/version.ts'
import type { RegistryClient } from '../../registry/client.ts'
import { registryFault, requestLine, TAG_LIST } from '../registry-fault.ts'
import { failLook, stallLook } from '../source/look-failure.ts'

/** Which artifact is meant. `revision` is Flux's: `tag@sha256:…`, or the digest alone. */
export type SelectedArtifact = { readonly digest: string; readonly revision: string }

const CHART = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip'

/** Reads `spec.url`; throws LookFailure (stalled) with Flux's words when it is no repository; safe, a tag is named as one. */
export function repositoryOf(url: string, traps: 'safe' | 'flux'): Repository {
  const wrong = (why: string): Error =>
    stallLook('FetchFailed', 'URLInvalid', `URL validation failed for '${url}': ${why}`)
  if (!url.startsWith('oci://')) throw wrong("URL must be in format 'oci://<domain>/<org>/<repo>'")
  const name = url.slice('oci://'.length)
  if (name === '') throw wrong('a repository name must be specified')
  const domain = /^([^/]*[.:][^/]*|localhost)\//.exec(name)?.[0] ?? ''
  const path = name.slice(domain.length)
  const tag = /^[^@]*?(:[^/:]*)$/.exec(path)?.[1]
  if (traps === 'safe' && domain !== '' && tag !== undefined) throw wrong(`URL must not contain a tag; remove '${tag}'`)
  if (path.length < 2 || path.length > 255)
    throw wrong(`repository must be between 2 and 255 characters in length: ${path}`)
  if (!/^[a-z0-9_./-]+$/.test(path))
    throw wrong(`repository can only contain the characters \`abcdefghijklmnopqrstuvwxyz0123456789_-./\`: ${path}`)
  const repository = parseRepository(withoutEmptyParts(name))
  if (!repository) throw wrong(`could not parse reference: ${name}`)
  return repository
}

/** A slash too many means nothing: most registries take it for none. */
function withoutEmptyParts(name: string): string {
  return name.replace(/\/+/g, '/').replace(/\/$/, '')
}

/**
 * Finds what `spec.ref` asks for: digest, then semver, then tag, else `latest`.
 *
 * @throws LookFailure ReadOperationFailed, OCIArtifactPullFailed with Flux's words
 */
export async function selectArtifact(
  client: RegistryClient,
  source: OciRepository,
  repository: Repository,
  signal: AbortSignal,
): Promise<SelectedArtifact> {
  const { ref } = source
  if (ref.digest !== undefined) {
    if (!parseDigest(ref.digest)) throw undetermined(hashFault(ref.digest))
    return { digest: ref.digest, revision: ref.digest }
  }
  const tag = ref.semver === undefined ? (ref.tag ?? 'latest') : await highestTag(client, source, repository, signal)
  if (!isTag(tag)) throw undetermined(`could not parse reference: ${tag}`)
  const asked = { ...repository, path: `manifests/${tag}` }
  const askedBy = () => ({ ...source, scheme: client.schemeOf(repository.host) })
  try {
    const found = await client.headManifest(repository, tag, { signal })
    if (found) return { digest: found.digest, revision: `${tag}@${found.digest}` }
  } catch (error) {
    throw error instanceof SluiceError ? undetermined(registryFault(error, asked, askedBy())) : error
  }
  throw undetermined(`${requestLine(asked, askedBy())}: MANIFEST_UNKNOWN: manifest unknown; map[Tag:${tag}]`)
}

/** What Go's library says of a digest that is none. */
function hashFault(text: string): string {
  const [, algorithm, hex = ''] = /^([^:]*):([^:]*)$/.exec(text) ?? []
  if (algorithm === undefined) return `cannot parse hash: ${JSON.stringify(text)}`
  const odd = /[^0-9a-f]/.exec(hex)
  if (odd) return `found non-hexadecimal character in hash: ${odd[0]}`
  return algorithm === 'sha256'
    ? `wrong number of hex digits for sha256: ${hex}`
    : `unsupported hash: ${JSON.stringify(algorithm)}`
}

function undetermined(why: string): Error {
  return failLook('FetchFailed', 'OCIArtifactPullFailed', `failed to determine artifact digest: ${why}`)
}

async function highestTag(
  client: RegistryClient,
  source: OciRepository,
  repository: Repository,
  signal: AbortSignal,
): Promise<string> {
  const { url, ref, layerSelector } = source
  const range = ref.semver ?? ''
  try {
    const tags = (await client.listTags(repository, { signal })) ?? []
    const filter = ref.semverFilter === undefined ? undefined : compileRegexp(ref.semverFilter)
    const constraint = parseRange(range)
    // Helm writes `+` as `_`, which a tag may not hold.
    const isChart = layerSelector?.mediaType === CHART
    const fitting = tags
      .filter((tag) => filter === undefined || filter.test(tag))
      .flatMap((tag) => {
        const version = parseTag(isChart ? tag.replaceAll('_', '+') : tag)
        return version && satisfies(version, constraint) ? [{ tag, version }] : []
      })
      .sort((a, b) => compareVersions(b.version, a.version))
    if (fitting[0]) return fitting[0].tag
    throw new SluiceError('IMAGE_MISSING', `no match found for semver: ${range}`, { retry: 'backoff' })
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const why = registryFault(
      error,
      { ...repository, path: TAG_LIST },
      { ...source, scheme: client.schemeOf(repository.host) },
    )
    const message = `failed to determine the artifact tag for '${url}': ${why}`
    throw failLook('FetchFailed', 'ReadOperationFailed', message)
  }
}

function parseRange(range: string): ReturnType<typeof parseConstraint> {
  try {
    return parseConstraint(range)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    throw new SluiceError('SEMVER_CONSTRAINT', `semver '${range}' parse error: ${error.message}`, {
      where: 'spec.ref.semver',
      cause: error,
    })
  }
}
