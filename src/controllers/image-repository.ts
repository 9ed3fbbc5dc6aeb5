import { backoffMs, jitterMs } from '../engine/backoff.ts'
import type { Decision } from '../engine/decision.ts'
import { kubeTime } from '../kinds/conditions.ts'
import { NEVER_MS, renderDuration, renderInterval } from '../kinds/duration.ts'
import type { ImageRepository } from '../kinds/image.ts'
import { isReady, isRequested, readyOf } from '../kinds/flux-object.ts'
import { readText } from '../lib/kube/read.ts'
import { parseRepository } from '../lib/oci/reference.ts'
import { DEFAULT_EXCLUSIONS, type ScanResult } from '../pipeline/image/scan.ts'
import {
  finalizerChange,
  goneStatus,
  type BasicStatus,
  progressOf,
  readyStatus,
  retryStatus,
  stalledNews,
  suspendedStatus,
} from './basic-status.ts'

/** What a scan came to. */
export type ScanOutcome =
  | { readonly kind: 'scanned'; readonly result: ScanResult }
  | {
      readonly kind: 'failed'
      readonly reason: 'ReadOperationFailed' | 'AuthenticationFailed'
      readonly message: string
      /** The registry wants to be left alone for so long. */
      readonly retryAfterMs?: number
    }

/** Everything that the decision about an ImageRepository needs. */
export type ImageRepositorySeen = {
  readonly repository: ImageRepository
  readonly nowMs: number
  /** In [0, 1). */
  readonly random: number
  /** How long until the registry must be asked again; 0 or less: now. */
  readonly dueInMs: number
  readonly traps: 'safe' | 'flux'
  /** Whether its tags are known to this engine. */
  readonly hasTags: boolean
  readonly failures: number
  /** What the scan of this reconcile found; absent before it. */
  readonly outcome?: ScanOutcome
}

/** What an ImageRepository may need done. */
export type ImageRepositoryChange = 'add finalizer' | 'remove finalizer' | 'scan'

const BY_INTERVAL = 'triggered by interval'

/** Decides what an ImageRepository needs: finalizer, a scan when one is due, then the status that says what it found. */
export function decideImageRepository(seen: ImageRepositorySeen): Decision<ImageRepositoryChange, BasicStatus> {
  const { repository, outcome } = seen
  const first = finalizerChange(repository)
  if (first === 'gone') return { kind: 'done', status: goneStatus(repository) }
  if (first !== undefined) return { kind: 'act', changes: [first] }
  if (repository.isSuspended) return { kind: 'done', status: suspendedStatus(repository) }
  const fault = imageFault(repository.image)
  if (fault !== undefined) return stalled(seen, 'ImageURLInvalid', fault)
  const refusal = providerRefusal(repository)
  if (refusal !== undefined) return stalled(seen, 'NotSupported', refusal)
  if (outcome === undefined && seen.dueInMs > 0) return { kind: 'done', status: {}, againAfterMs: seen.dueInMs }
  if (outcome === undefined && isEditedOnly(seen)) return unscanned(seen)
  if (outcome === undefined) return { kind: 'act', changes: ['scan'] }
  if (outcome.kind === 'failed') return failed(seen, outcome)
  const status = scanned(seen, outcome.result)
  return { kind: 'done', status, againAfterMs: jitterMs(repository.intervalMs, seen.random) }
}

function stalled(
  { repository, nowMs, traps }: ImageRepositorySeen,
  reason: string,
  message: string,
): Decision<ImageRepositoryChange, BasicStatus> {
  const isKnown = repository.conditions.some((one) => one.type === 'Stalled' && one.message === message)
  const { status, event } = stalledNews(repository, nowMs, { reason, message }, traps)
  return { kind: 'done', status: { status, ...(isKnown && !isRequested(repository) ? {} : { event }) } }
}

/** Logins by the identity of a cloud's machine are refused by name; a Secret with a login works with every registry. */
function providerRefusal({
  provider,
  secretName,
}: Pick<ImageRepository, 'provider' | 'secretName'>): string | undefined {
  if (provider === 'generic' || secretName !== undefined) return undefined
  return `spec.provider ${provider} without spec.secretRef is not supported by this version of sluice: name a Secret with a login`
}

/** What is wrong with `spec.image`, in Flux's words; undefined when nothing is. A digest counts as a tag. */
export function imageFault(image: string): string | undefined {
  const [scheme = '', ...behind] = image.split('://')
  if (behind.length > 0) return `image '${image}' should not include URL scheme; remove '${scheme}://'`
  if (!isImage(image)) return `could not parse reference: ${image}`
  const tag = image.slice(registryOf(image).length).split(':')[1]
  return tag === undefined ? undefined : `image '${image}' should not include a tag; remove ':${tag}'`
}

/**
 * Whether the library that Flux uses reads it, with a tag, a digest or neither: any small letters, digits and `_-./` are a repository for it, of two
 * characters at least. What no registry can have fails when it is looked for.
 *
 * @see https://github.com/google/go-containerregistry/tree/main/pkg/name
 */
function isImage(image: string): boolean {
  return isTagged(image) || isTagged(image.replace(/@sha256:[0-9a-f]{64}$/, ''))
}

function isTagged(image: string): boolean {
  const tag = /:([^:/]*)$/.exec(image)
  return isPlace(image) || (/^[\w.-]{1,128}$/.test(tag?.[1] ?? '') && isPlace(image.slice(0, tag?.index)))
}

/** A name and, where its first part has a dot or a colon, the host of a URL. */
function isPlace(image: string): boolean {
  const host = registryOf(image)
  const path = host === '' ? image : image.slice(host.length + 1)
  return /^[a-z0-9_./-]{2,255}$/.test(path) && HOST.test(host)
}

const HOST = /^(?:\[[0-9A-Fa-f:.]*\]|[\w.~!$&'()*+,;=\u0080-\uffff-]*)(?::\d*)?$/

function registryOf(image: string): string {
  return /^[^/]*[.:][^/]*(?=\/)/.exec(image)?.[0] ?? ''
}

/** The full name of an image: `nginx` is `index.docker.io/library/nginx`, as Flux writes it. */
export function canonicalName(image: string): string {
  const parsed = parseRepository(image)
  if (!parsed) return image
  return `${parsed.host === 'docker.io' ? 'index.docker.io' : parsed.host}/${parsed.repository}`
}

/** The exclusions that count; an empty list is none, as in Flux. */
export function exclusionsOf({ exclusionList = [] }: ImageRepository): readonly string[] {
  return exclusionList.length === 0 ? DEFAULT_EXCLUSIONS : exclusionList
}

function scanned(seen: ImageRepositorySeen, result: ScanResult): BasicStatus {
  const { repository, nowMs } = seen
  const { revision, latestTags, tags } = result
  const message = `successful scan: found ${tags.length} tags with checksum ${revision}`
  const fields = {
    canonicalImageName: canonicalName(repository.image),
    lastScanResult: {
      ...(latestTags.length > 0 ? { latestTags } : {}),
      revision,
      scanTime: kubeTime(nowMs),
      tagCount: tags.length,
    },
    observedExclusionList: exclusionsOf(repository),
  }
  const before = readyOf(repository)
  const isNews = before?.status !== 'True' || before.message !== message
  return {
    status: readyStatus(repository, nowMs, message, fields),
    ...(isNews ? { event: { severity: 'info' as const, reason: 'Succeeded', message } } : nothingNew(seen)),
  }
}

/** Flux tells of a scan that found nothing new; safe, that is not worth a request. */
function nothingNew({ repository, traps }: ImageRepositorySeen): Pick<BasicStatus, 'event'> {
  if (traps === 'safe') return {}
  const message = `tags did not change, next scan in ${renderInterval(repository.intervalMs)}`
  return { event: { severity: 'trace', reason: 'Succeeded', message } }
}

/** An edit that changes nothing of what is scanned; safe, it is taken for a wish to know now. */
function isEditedOnly(seen: ImageRepositorySeen): boolean {
  const { repository, traps } = seen
  return (
    traps === 'flux' &&
    isReady(repository) &&
    repository.intervalMs !== NEVER_MS &&
    scanReason(seen) === BY_INTERVAL &&
    leftMs(seen) >= 1000
  )
}

function unscanned(seen: ImageRepositorySeen): Decision<ImageRepositoryChange, BasicStatus> {
  const { repository, nowMs } = seen
  const shown = readyOf(repository)?.message ?? ''
  const message = `no change in repository configuration since last scan, next scan in ${renderDuration(leftMs(seen) + 0.1)}`
  return {
    kind: 'done',
    status: {
      status: readyStatus(repository, nowMs, shown, {}),
      event: { severity: 'trace', reason: 'Succeeded', message },
    },
    againAfterMs: leftMs(seen),
  }
}

/** How long until the next scan by what the status says; a scan after now says that the clock was set back, and nothing of how long ago it was. */
function leftMs({ repository: { status, intervalMs }, nowMs }: ImageRepositorySeen): number {
  const scannedMs = Date.parse(readText(status, 'lastScanResult', 'scanTime'))
  return scannedMs > nowMs ? 0 : scannedMs + intervalMs - nowMs
}

function failed(
  seen: ImageRepositorySeen,
  { reason, message, retryAfterMs }: Extract<ScanOutcome, { kind: 'failed' }>,
): Decision<ImageRepositoryChange, BasicStatus> {
  const { repository, nowMs } = seen
  const progress = reason === 'AuthenticationFailed' ? progressOf(repository) : `scanning: ${scanReason(seen)}`
  const status = retryStatus(repository, nowMs, { reason, message, progress })
  return {
    kind: 'wait',
    afterMs: Math.max(Math.min(backoffMs(seen.failures), repository.intervalMs), retryAfterMs ?? 0),
    status: { status, event: { severity: 'error', reason, message } },
  }
}

/** Why a scan is made, in Flux's words. */
function scanReason({ repository, hasTags }: ImageRepositorySeen): string {
  const { status } = repository
  if (status['lastScanResult'] === undefined) return 'first scan'
  if (isRequested(repository)) return 'reconcile requested'
  if (status['canonicalImageName'] !== canonicalName(repository.image)) return 'new image name'
  if (JSON.stringify(status['observedExclusionList']) !== JSON.stringify(exclusionsOf(repository)))
    return 'updated exclusion list'
  return hasTags ? BY_INTERVAL : 'no tags in database'
}
