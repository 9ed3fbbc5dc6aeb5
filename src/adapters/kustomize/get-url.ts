import { STATUS_CODES } from 'node:http'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { runProgram } from './program.ts'

const MOST_BYTES = 64 * 1024 * 1024
const MOST_REDIRECTS = 10
const MOST_MS = 60_000

/** What the child does: it follows redirects from http(s) to http(s) only, stops at the limit, and answers status, NUL, bytes. */
const SCRIPT = `
const [, start, mostBytes, mostRedirects] = process.argv
let url = start
for (let hops = 0; ; hops++) {
  const answer = await fetch(url, { redirect: 'manual' })
  const next = answer.headers.get('location')
  if (answer.status >= 300 && answer.status < 400 && next) {
    if (hops >= Number(mostRedirects)) throw new Error('stopped after ' + mostRedirects + ' redirects')
    url = new URL(next, url)
    if (!['http:', 'https:'].includes(url.protocol)) throw new Error('unsupported protocol scheme "' + url.protocol.slice(0, -1) + '"')
    continue
  }
  process.stdout.write(answer.status + '\\0')
  let size = 0
  for await (const chunk of answer.body ?? []) {
    size += chunk.length
    if (size > Number(mostBytes)) throw new Error('more than ' + mostBytes + ' bytes')
    process.stdout.write(chunk)
  }
  break
}
`

/**
 * Gets a file over HTTP while the build waits: a child process does it, because a build is a plain function.
 *
 * @throws SluiceError KUSTOMIZE_REMOTE (retry: backoff) when there is no answer within a minute, or too long a one
 */
export function getUrl(url: string): { readonly status: number; readonly reason: string; readonly bytes: Uint8Array } {
  const args = ['--input-type=module', '-e', SCRIPT, url, String(MOST_BYTES), String(MOST_REDIRECTS)]
  const { status, stdout, errors, hasTimedOut } = runProgram(process.execPath, args, { timeoutMs: MOST_MS, env: {} })
  if (status !== 0) {
    const why = hasTimedOut ? `no answer within ${MOST_MS / 1000} s` : reasonOf(errors)
    throw new SluiceError('KUSTOMIZE_REMOTE', `Get ${JSON.stringify(url)}: ${why}`, { retry: 'backoff' })
  }
  const end = stdout.indexOf(0)
  const code = Number(stdout.subarray(0, end).toString())
  return { status: code, reason: STATUS_CODES[code] ?? '', bytes: new Uint8Array(stdout.subarray(end + 1)) }
}

/** The innermost reason in what Node printed. */
function reasonOf(errors: string): string {
  const cause = /\[cause\]: (?:\w*Error: )?(.*)/.exec(errors)?.[1] ?? /^\w*Error: (.*)/m.exec(errors)?.[1]
  return cause ?? 'no answer'
}
