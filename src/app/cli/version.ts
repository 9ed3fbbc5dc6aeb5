import { parseArgs } from 'node:util'
import type { Command } from './command.ts'

declare const SLUICE_VERSION: string | undefined

/** The version of this build; `dev` when run from source. */
export function versionText(): string {
  return typeof SLUICE_VERSION === 'string' ? SLUICE_VERSION : 'dev'
}

export const version: Command = {
  name: 'version',
  summary: 'Print the version',
  usage: 'sluice version [-o json]',
  async run(argv, io) {
    const { values } = parseArgs({ args: [...argv], options: { output: { type: 'string', short: 'o' } } })
    if (values.output === 'json') io.out(JSON.stringify({ version: versionText(), node: process.version }))
    else io.out(`sluice ${versionText()}`)
    return 0
  },
}
