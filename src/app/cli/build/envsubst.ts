import { parseArgs } from 'node:util'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { substitute } from '../../../pipeline/build/substitute.ts'
import type { Command } from '../command.ts'

const MOST_BYTES = 64 * 1024 * 1024

export const envsubst: Command = {
  name: 'envsubst',
  summary: 'Fill in variables of standard input from the environment, as a Kustomization does after its build',
  usage: 'sluice envsubst [--strict] <FILE',
  async run(argv, io) {
    const { values } = parseArgs({ args: [...argv], options: { strict: { type: 'boolean', default: false } } })
    const variables = Object.entries(io.env).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    )
    const text = await readAll(process.stdin)
    io.out(substitute(text, new Map(variables), { isStrict: values.strict, traps: 'flux' }).replace(/\n$/, ''))
    return 0
  },
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size > MOST_BYTES) throw new SluiceError('USAGE', `standard input has more than ${MOST_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
