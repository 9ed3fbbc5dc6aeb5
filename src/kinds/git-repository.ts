import type { KubeObject } from '../lib/kube/object.ts'
import { read, readList, readText } from '../lib/kube/read.ts'
import { durationField, optionalText, parseFluxMeta, textList, type FluxMeta } from './flux-object.ts'

/** `status.artifact`: what a source offers. */
export type ArtifactStatus = {
  readonly digest: string
  readonly lastUpdateTime: string
  readonly path: string
  readonly revision: string
  readonly size: number
  readonly url: string
}

/** An entry of `spec.include`. */
export type Include = { readonly name: string; readonly fromPath: string; readonly toPath: string }

/** A GitRepository of any version: one superset, defaults filled in. */
export type GitRepository = FluxMeta & {
  readonly url: string
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly ref: {
    readonly branch?: string
    readonly tag?: string
    readonly semver?: string
    readonly name?: string
    readonly commit?: string
  }
  readonly secretName: string | undefined
  readonly proxySecretName: string | undefined
  readonly provider: string
  readonly serviceAccountName: string | undefined
  readonly ignore: string | undefined
  readonly include: readonly Include[]
  readonly sparseCheckout: readonly string[]
  readonly recurseSubmodules: boolean
  readonly verify: { readonly mode: string; readonly secretName: string } | undefined
  readonly artifact: ArtifactStatus | undefined
  /** The whole status as it stands, to see what a write would change. */
  readonly status: Readonly<Record<string, unknown>>
}

const DEFAULT_TIMEOUT_MS = 60_000
const DEFAULT_INTERVAL_MS = 60_000

/**
 * Reads a GitRepository of any API version that Flux ever served. `gitImplementation` and `accessFrom` of old versions have no meaning any more.
 *
 * @throws SluiceError OBJECT_INVALID for a duration that is none
 */
export function parseGitRepository(object: KubeObject): GitRepository {
  const verify = read(object, 'spec', 'verify')
  return {
    ...parseFluxMeta(object),
    url: readText(object, 'spec', 'url'),
    intervalMs: durationField(object, 'interval') ?? DEFAULT_INTERVAL_MS,
    timeoutMs: durationField(object, 'timeout') ?? DEFAULT_TIMEOUT_MS,
    ref: refOf(object),
    secretName: optionalText(object, 'spec', 'secretRef', 'name'),
    proxySecretName: optionalText(object, 'spec', 'proxySecretRef', 'name'),
    provider: optionalText(object, 'spec', 'provider') ?? 'generic',
    serviceAccountName: optionalText(object, 'spec', 'serviceAccountName'),
    ignore: read(object, 'spec', 'ignore') === undefined ? undefined : readText(object, 'spec', 'ignore'),
    include: readList(object, 'spec', 'include').map(parseInclude),
    sparseCheckout: textList(object, 'spec', 'sparseCheckout'),
    recurseSubmodules: read(object, 'spec', 'recurseSubmodules') === true,
    verify:
      verify === undefined
        ? undefined
        : { mode: optionalText(verify, 'mode') ?? 'HEAD', secretName: readText(verify, 'secretRef', 'name') },
    artifact: parseArtifact(read(object, 'status', 'artifact')),
    status: (read(object, 'status') ?? {}) as Readonly<Record<string, unknown>>,
  }
}

/** Reads `status.artifact`; `undefined` when there is none, or one of a version without digest. */
function parseArtifact(value: unknown): ArtifactStatus | undefined {
  const revision = readText(value, 'revision')
  if (revision === '') return undefined
  const size = read(value, 'size')
  return {
    digest: readText(value, 'digest'),
    lastUpdateTime: readText(value, 'lastUpdateTime'),
    path: readText(value, 'path'),
    revision,
    size: typeof size === 'number' ? size : 0,
    url: readText(value, 'url'),
  }
}

function refOf(object: KubeObject): GitRepository['ref'] {
  const fields = ['branch', 'tag', 'semver', 'name', 'commit'] as const
  return Object.fromEntries(
    fields.flatMap((field) => {
      const text = optionalText(object, 'spec', 'ref', field)
      return text === undefined ? [] : [[field, text]]
    }),
  )
}

function parseInclude(entry: unknown): Include {
  const name = readText(entry, 'repository', 'name')
  return { name, fromPath: readText(entry, 'fromPath'), toPath: readText(entry, 'toPath') || name }
}
