import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { labelKeyErrors, labelValueErrors } from '../../../lib/kube/names.ts'

/**
 * Reads labels as flux takes them: `KEY=VALUE`, or several of them with commas between.
 *
 * @throws SluiceError USAGE in flux's words
 */
export function parseLabels(words: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(words.flatMap((word) => word.split(',')).map(parseLabel))
}

function parseLabel(word: string): readonly [key: string, value: string] {
  const [key = '', value, more] = word.split('=')
  if (value === undefined || more !== undefined)
    throw new SluiceError('USAGE', `invalid label format '${word}', must be key=value`)
  const [fault] = labelKeyErrors(key)
  if (fault !== undefined) throw new SluiceError('USAGE', `invalid label '${key}': ${fault}`)
  const [valueFault] = labelValueErrors(value)
  if (valueFault !== undefined) throw new SluiceError('USAGE', `invalid label value '${value}': ${valueFault}`)
  return [key, value]
}
