import { answerError, parseObject, statusError } from './answer.ts'
import type { Transport } from './transport.ts'
import type { Selection, WatchEvent } from './types.ts'

const NEWLINE = 10
const MIN_WATCH_SECONDS = 300
const GRACE_MS = 30_000
const MAX_LINE_BYTES = 64 * 1024 * 1024

/**
 * Runs one watch connection. The server ends it after 5 to 10 minutes (spread, so that a restart does not meet all of them at once);
 * a connection that has died in silence is cut half a minute later.
 *
 * @throws ApiError when the server refuses, or says ERROR in the stream (410: the version is too old)
 */
export async function streamEvents(
  transport: Transport,
  path: string,
  selection: Selection,
  resourceVersion: string,
  onEvent: (event: WatchEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const timeoutSeconds = MIN_WATCH_SECONDS + Math.floor(Math.random() * MIN_WATCH_SECONDS)
  const query = new URLSearchParams({
    watch: 'true',
    allowWatchBookmarks: 'true',
    timeoutSeconds: String(timeoutSeconds),
    ...(resourceVersion !== '' && { resourceVersion }),
    ...(selection.labelSelector && { labelSelector: selection.labelSelector }),
    ...(selection.fieldSelector && { fieldSelector: selection.fieldSelector }),
  })
  let status = 0
  const refusal: Buffer[] = []
  const lines = splitLines((line) => {
    const event = parseObject(line) as unknown as WatchEvent
    if (event.type === 'ERROR') throw statusError(event.object)
    if (!signal.aborted) onEvent(selection.metadataOnly ? named(event, selection) : event)
  })
  await transport.stream(
    {
      method: 'GET',
      path: `${path}?${query.toString()}`,
      timeoutMs: timeoutSeconds * 1000 + GRACE_MS,
      isRepeatable: true,
      accept: acceptOf(selection),
      signal,
    },
    (code) => (status = code),
    (chunk) => (status < 400 ? lines(chunk) : void refusal.push(chunk)),
  )
  if (status >= 400 && !signal.aborted) throw answerError({ status, body: Buffer.concat(refusal) })
}

/** The media types to ask for, of an object or of a list. */
export function acceptOf({ metadataOnly }: Selection, suffix: '' | 'List' = ''): string {
  if (!metadataOnly) return 'application/json'
  return `application/json;as=PartialObjectMetadata${suffix};g=meta.k8s.io;v=v1,application/json`
}

/** Metadata alone comes as PartialObjectMetadata: the kind is the one that was asked for. */
function named({ type, object }: WatchEvent, { apiVersion, kind }: Selection): WatchEvent {
  return { type, object: { apiVersion, kind, metadata: object.metadata } }
}

/** Cuts a byte stream into lines. Bytes are joined only when a line spans several chunks, and read as text once. */
export function splitLines(onLine: (line: string) => void): (chunk: Buffer) => void {
  let parts: Buffer[] = []
  let pendingBytes = 0
  return (chunk) => {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const piece = chunk.subarray(start, end)
      start = end + 1
      const line = parts.length === 0 ? piece : Buffer.concat([...parts, piece])
      parts = []
      pendingBytes = 0
      if (line.length > 0) onLine(line.toString('utf8'))
    }
    if (start >= chunk.length) return
    parts.push(chunk.subarray(start))
    pendingBytes += chunk.length - start
    if (pendingBytes > MAX_LINE_BYTES) throw new Error('a watch event is too large')
  }
}
