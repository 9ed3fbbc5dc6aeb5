import { SluiceError } from '../../lib/error/sluice-error.ts'
import { nearest } from '../../lib/value/nearest.ts'

/** What was not understood, and what may have been meant: `no such verb: lst; did you mean list?`. */
export function noSuch(what: string, word: string, known: Iterable<string>): string {
  return `no such ${what}: ${word}${meant(nearest(word, known))}`
}

/**
 * Refuses words beyond those that a command reads: one that is left out of account may be the one that mattered.
 *
 * @throws SluiceError USAGE
 */
export function refuseMore(words: readonly string[], most: number): void {
  const word = words[most]
  if (word !== undefined) throw new SluiceError('USAGE', `one word too many: ${word}`)
}

/**
 * Reads a number of seconds.
 *
 * @returns milliseconds
 * @throws SluiceError USAGE
 */
export function parseSeconds(option: string, text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000
  throw new SluiceError('USAGE', `${option} is a number of seconds, not "${text}"`)
}

/** Says in our words what `parseArgs` did not understand, with the option that was meant. */
export function misreadText(message: string, usage: string): string {
  const option = /'(?:-\w, )?(--?[^' =<]+)/.exec(message)?.[1] ?? ''
  if (message.startsWith('Unknown option'))
    return `unknown option ${option}${meant(option.startsWith('--') ? nearest(option, optionsOf(usage)) : [])}`
  if (message.startsWith('Unexpected argument')) return `one word too many: ${/'([^']*)'/.exec(message)?.[1] ?? ''}`
  if (/argument missing|argument is ambiguous/.test(message)) return `${option} wants a value`
  if (message.includes('does not take an argument')) return `${option} takes no value`
  return message
}

function optionsOf(usage: string): readonly string[] {
  return [...usage.matchAll(/--[a-z][\w-]*/g)].map(([name]) => name)
}

function meant(near: readonly string[]): string {
  return near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`
}
