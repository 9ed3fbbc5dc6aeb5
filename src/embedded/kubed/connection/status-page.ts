import type { IncomingMessage, ServerResponse } from 'node:http'
import { Fault } from '../fault.ts'
import { parseAccept } from '../negotiation/accept.ts'
import { plain } from './plain.ts'
import { VERSION } from './version.ts'

const PATHS = ['/healthz', '/livez', '/metrics', '/readyz', '/statusz', '/version']
const TEXT = /^(\*|text)\/(\*|plain)$/

/**
 * Answers `/statusz`, which people read: since when the server runs, and as what. Its forms for machines are not served.
 *
 * @throws Fault 406
 * @see k8s.io/component-base/zpages
 */
export function serveStatusPage({ headers }: IncomingMessage, response: ServerResponse): void {
  if (!parseAccept(headers.accept || '*/*').some(({ type }) => TEXT.test(type)))
    throw new Fault(406, 'NotAcceptable', 'only the following media types are accepted: text/plain')
  plain(response, statusPage(performance.timeOrigin, performance.now()))
}

/** The page of a server that began at a moment and has run for a while. */
export function statusPage(startedMs: number, upMs: number): string {
  const [day = '', date = '', month = '', year = '', time = ''] = new Date(startedMs)
    .toUTCString()
    .replace(',', '')
    .split(' ')
  const seconds = Math.floor(upMs / 1000)
  const up = `${Math.floor(seconds / 3600)} hr ${Math.floor(seconds / 60) % 60} min ${seconds % 60} sec`
  return `
apiserver statusz
Warning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees and is for debugging purposes only.

Started  ${day} ${month} ${date.replace(/^0/, ' ')} ${time} UTC ${year}
Up  ${up}
Go version  ${VERSION.goVersion}
Binary version  ${VERSION.gitVersion.slice(1)}
Emulation version  ${VERSION.emulationMajor}.${VERSION.emulationMinor}
Paths  ${PATHS.join(' ')}
`
}
