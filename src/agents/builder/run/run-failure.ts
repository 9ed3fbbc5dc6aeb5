import { SluiceError } from '../../../lib/error/sluice-error.ts'

/** A command of a Dockerfile that failed. */
export type FailedRun = {
  readonly command: readonly string[]
  readonly code: number
  /** The last line that it printed, '' for none. */
  readonly said: string
  readonly network: 'none' | 'host'
  readonly where: string
}

/** What programs say that found nobody on the network. */
const WANTS_NETWORK =
  /resolv|network|unreachable|EAI_AGAIN|ENOTFOUND|ECONNREFUSED|timed out|connection refused|cannot connect|could not connect|temporary error/i
const LONGEST = 300

/** Pure. A failed RUN as an error: with its own last words, and a hint only where they say what is missing. */
export function runFailure({ command, code, said, network, where }: FailedRun): SluiceError {
  const shown = command.length === 3 && command[1] === '-c' ? command[2] : command.join(' ')
  const words = said === '' ? '' : `: ${said.slice(0, LONGEST)}`
  const hint = hintFor(code, said, network)
  return new SluiceError('BUILD_RUN', `RUN ${shown?.trim().slice(0, 200)} returned a non-zero code: ${code}${words}`, {
    where,
    ...(hint === undefined ? {} : { hint }),
  })
}

/** Codes of shells: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_08_02 */
function hintFor(code: number, said: string, network: FailedRun['network']): string | undefined {
  if (code === 127) return 'the image has no such program: choose a base image that has it, or COPY it in'
  if (code === 126) return 'the file is there and cannot be run: check its mode and the machine it was built for'
  if (network === 'host' || !WANTS_NETWORK.test(said)) return undefined
  return 'RUN steps have no network unless the build is given --network=host'
}
