import http from 'node:http'
import https from 'node:https'
import { faultText } from '../../lib/error/fault-text.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { Deadline } from '../../machine/deadlines.ts'
import { dialFault } from './connect-fault.ts'
import { checkReach, guardedLookup, type Reach } from './reach.ts'

/** What was answered for a file. */
export type FetchedFile = { readonly status: number; readonly reason: string; readonly bytes: Uint8Array }

/** How to get a file: `timeoutMs` is for all of it, redirects included, by the deadline of whoever asks. */
export type FileOptions = {
  readonly reach: Reach
  readonly timeoutMs: number
  readonly within: Deadline
  readonly mostBytes: number
}

type Answer = FetchedFile & { readonly location: string | undefined }

const MOST_REDIRECTS = 10

/**
 * Gets a file whose address stands in somebody's repository. Redirects lead to any host, as those of release files do; each one is checked as the
 * first address is.
 *
 * @throws SluiceError KUSTOMIZE_REMOTE (retry: backoff) in Go's words, when nothing answers or the file is too long; NOTIFY_ADDRESS
 */
export async function fetchFile(address: string, options: FileOptions): Promise<FetchedFile> {
  const signal = options.within(options.timeoutMs)
  let url = parseUrl(address)
  for (let hops = 0; ; hops++) {
    const answer = await get(url, options, signal)
    if (answer.location === undefined || answer.status < 300 || answer.status > 399) return answer
    if (hops >= MOST_REDIRECTS) throw failed(url, `stopped after ${MOST_REDIRECTS} redirects`)
    if (!URL.canParse(answer.location, url.href))
      throw failed(url, `a redirect to "${answer.location.slice(0, 200)}" leads nowhere`)
    const next = new URL(answer.location, url)
    if (next.protocol !== 'https:' && (next.protocol !== 'http:' || url.protocol === 'https:'))
      throw failed(url, `a redirect to ${next.protocol}//${next.host} is not followed`)
    url = next
  }
}

function parseUrl(address: string): URL {
  try {
    return new URL(address)
  } catch (cause) {
    throw new SluiceError('KUSTOMIZE_REMOTE', `Get ${JSON.stringify(address)}: invalid URL`, { cause })
  }
}

function get(url: URL, { reach, mostBytes, timeoutMs }: FileOptions, signal: AbortSignal): Promise<Answer> {
  checkReach(url, reach)
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void =>
      reject(error instanceof SluiceError ? error : failed(url, reasonOf(error, url, timeoutMs), error))
    const options = { lookup: guardedLookup(url, reach), signal, agent: false }
    const sent = (url.protocol === 'https:' ? https : http).get(url, options, (answer) => {
      const chunks: Buffer[] = []
      let size = 0
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > mostBytes) sent.destroy(new Error(`more than ${mostBytes} bytes`))
        else chunks.push(chunk)
      })
      answer.on('error', fail)
      const { statusCode: status = 0, headers } = answer
      answer.on('end', () =>
        resolve({
          status,
          reason: http.STATUS_CODES[status] ?? '',
          bytes: Buffer.concat(chunks),
          location: headers.location,
        }),
      )
    })
    sent.on('error', fail)
  })
}

function reasonOf(error: NodeJS.ErrnoException, url: URL, timeoutMs: number): string {
  const isLate = /Timeout|Abort/.test(error.name)
  return dialFault(error, url) ?? (isLate ? `no answer within ${timeoutMs / 1000}s` : faultText(error))
}

function failed(url: URL, reason: string, cause?: unknown): SluiceError {
  return new SluiceError('KUSTOMIZE_REMOTE', `Get ${JSON.stringify(url.href)}: ${reason}`, { retry: 'backoff', cause })
}
