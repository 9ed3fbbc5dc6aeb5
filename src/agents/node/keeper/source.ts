import { BALANCE_PARTS } from './balance.ts'
import { DATAGRAM_PARTS } from './udp.ts'
import { DNS_PARTS } from './dns.ts'
import { greet } from './greet.ts'
import { openLog } from './log.ts'
import { REMOTE_PARTS } from './remote.ts'
import { SERVE_PARTS } from './serve.ts'
import { SUPERVISE_PARTS } from './supervise.ts'
import { TERMINAL_PARTS } from './terminal.ts'

type Part = { readonly name: string; toString(): string }

/**
 * The keeper as a program of its own: the text of its functions, so that it needs neither the bundle nor its path, and an
 * update of Sluice does not pull the file from under a running keeper. `argv[2]` is its socket.
 */
export function keeperSource(): string {
  return [
    '// written by sluice at start; do not edit',
    'const __name = (value) => value',
    `const makeBalancer = ${moduleOf(BALANCE_PARTS)}`,
    `const makeDatagramBalancer = ${moduleOf(DATAGRAM_PARTS)}`,
    `const startDns = ${moduleOf(DNS_PARTS)}`,
    `const openLog = ${moduleOf([openLog])}`,
    `const greet = ${moduleOf([greet])}`,
    `const makeSupervisor = ${moduleOf(SUPERVISE_PARTS)}`,
    `const makeTerminals = ${moduleOf(TERMINAL_PARTS)}`,
    `const makeRemotes = ${moduleOf(REMOTE_PARTS)}`,
    `const serveKeeper = ${moduleOf(SERVE_PARTS)}`,
    'serveKeeper({ makeBalancer, makeDatagramBalancer, startDns, openLog, makeSupervisor, greet, makeTerminals, makeRemotes }, process.argv[2])',
    '',
  ].join('\n')
}

function moduleOf(parts: readonly Part[]): string {
  return `(() => {\n${parts.map(String).join('\n')}\nreturn ${parts[0]?.name}\n})()`
}
