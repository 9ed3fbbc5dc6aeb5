import { SluiceError } from '../../lib/error/sluice-error.ts'
import { dump } from '../../lib/yaml/dump.ts'

const DATA = ['json', 'yaml'] as const

/**
 * Renders an answer in the form that was asked for: `json` and `yaml` of the whole value, else the text for people.
 *
 * @param usual how the text for people is called: `table` or `text`
 * @throws SluiceError USAGE for a form that there is not
 */
export function renderAnswer(value: unknown, format: string, usual: 'table' | 'text', text: () => string): string {
  if (format === 'json') return JSON.stringify(value, undefined, 2)
  // what is undefined has no place in either
  if (format === 'yaml') return dump(JSON.parse(JSON.stringify(value))).trimEnd()
  if (format === usual) return text()
  throw new SluiceError('USAGE', `no such output format: ${format} (there are ${[usual, ...DATA].join(', ')})`)
}
