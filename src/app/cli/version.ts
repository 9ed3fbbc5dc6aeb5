import { parseArgs } from 'node:util'
import { versionText } from '../version-text.ts'
import type { Command } from './command.ts'
import { renderAnswer } from './output.ts'

export const version: Command = {
  name: 'version',
  summary: 'Print the version',
  usage: 'sluice version [-o text|json|yaml]',
  async run(argv, io) {
    const { values } = parseArgs({ args: [...argv], options: { output: { type: 'string', short: 'o' } } })
    const answer = { version: versionText(), node: process.version }
    io.out(renderAnswer(answer, values.output ?? 'text', 'text', () => `sluice ${answer.version}`))
    return 0
  },
}
