import type { ZPage } from './z-pages.ts'
import { VERSION } from './version.ts'

const PATHS = ['/flagz', '/healthz', '/livez', '/metrics', '/readyz', '/statusz', '/version']

/** What `/statusz` says of a server that began at a moment and has run for a while: since when it runs, and as what. */
export function statusPage(startedMs: number, upMs: number): ZPage {
  const seconds = Math.floor(upMs / 1000)
  const { goVersion } = VERSION
  const binaryVersion = VERSION.gitVersion.slice(1)
  const emulationVersion = `${VERSION.emulationMajor}.${VERSION.emulationMinor}`
  const lines = [
    `Started: ${unixDate(startedMs)}`,
    `Up: ${Math.floor(seconds / 3600)} hr ${twoDigits(seconds / 60)} min ${twoDigits(seconds)} sec`,
    `Go version: ${goVersion}`,
    `Binary version: ${binaryVersion}`,
    `Emulation version: ${emulationVersion}`,
    `Paths: ${PATHS.join(' ')}`,
  ]
  const startTime = `${new Date(startedMs).toISOString().slice(0, 19)}Z`
  return {
    kind: 'Statusz',
    text: `\n${lines.join('\n')}\n`,
    fields: { startTime, uptimeSeconds: seconds, goVersion, binaryVersion, emulationVersion, paths: PATHS },
  }
}

/** What `/flagz` says: the options with which the server was started, by name. */
export function flagsPage(flags: Readonly<Record<string, string>>): ZPage {
  const names = Object.keys(flags).sort()
  return { kind: 'Flagz', text: names.map((name) => `${name}: ${flags[name]}\n`).join(''), fields: { flags } }
}

const twoDigits = (value: number): string => String(Math.floor(value) % 60).padStart(2, '0')

/** As Go writes a `time.UnixDate`. */
function unixDate(atMs: number): string {
  const [day = '', date = '', month = '', year = '', time = ''] = new Date(atMs)
    .toUTCString()
    .replace(',', '')
    .split(' ')
  return `${day} ${month} ${date.replace(/^0/, ' ')} ${time} UTC ${year}`
}
