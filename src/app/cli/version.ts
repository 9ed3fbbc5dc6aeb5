import { parseArgs } from 'node:util'
import { versionText } from '../version-text.ts'
import type { Command } from './command.ts'

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
