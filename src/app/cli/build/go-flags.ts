import { own } from '../../../lib/value/own.ts'

/** A flag as Go's pflag knows it. */
export type GoFlag = {
  readonly kind: 'bool' | 'text' | 'list'
  readonly short?: string
}

/** What a command line said: the last value of each flag, and the words that are no flags. */
export type GoArguments = {
  readonly texts: ReadonlyMap<string, string>
  readonly lists: ReadonlyMap<string, readonly string[]>
  readonly bools: ReadonlyMap<string, boolean>
  readonly words: readonly string[]
}

type Flags = Readonly<Record<string, GoFlag>>
type State = {
  readonly flags: Flags
  readonly texts: Map<string, string>
  readonly lists: Map<string, string[]>
  readonly bools: Map<string, boolean>
  readonly words: string[]
  readonly pending: string[]
}

/** Spellings that Go's `strconv.ParseBool` takes. */
const BOOLS = new Map(
  ['1', 't', 'T', 'true', 'TRUE', 'True']
    .map((word): [string, boolean] => [word, true])
    .concat(['0', 'f', 'F', 'false', 'FALSE', 'False'].map((word) => [word, false])),
)

/**
 * Reads a command line by the rules, and with the error texts, of Go's pflag: flags and words mixed, `--` ends the flags,
 * `-ovalue`, `--flag=value`, no abbreviations.
 *
 * @returns the text of the error where the line is not understood
 */
export function parseGoFlags(argv: readonly string[], flags: Flags): GoArguments | string {
  const state: State = {
    flags,
    texts: new Map(),
    lists: new Map(),
    bools: new Map(),
    words: [],
    pending: [...argv],
  }
  for (let word = state.pending.shift(); word !== undefined; word = state.pending.shift()) {
    if (word === '--') break
    const problem = word.startsWith('--') ? readLong(state, word) : readWord(state, word)
    if (problem !== undefined) return problem
  }
  state.words.push(...state.pending)
  return state
}

function readWord(state: State, word: string): string | undefined {
  if (word.startsWith('-') && word.length > 1) return readShort(state, word)
  state.words.push(word)
  return undefined
}

function readLong(state: State, word: string): string | undefined {
  const equals = word.indexOf('=')
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals)
  if (name === '' || name.startsWith('-') || name.startsWith('=')) return `bad flag syntax: ${word}`
  const flag = own(state.flags, name)
  if (flag === undefined) return `unknown flag: --${name}`
  if (equals >= 0) return assign(state, name, flag, word.slice(equals + 1))
  if (flag.kind === 'bool') return assign(state, name, flag, 'true')
  const value = state.pending.shift()
  return value === undefined ? `flag needs an argument: --${name}` : assign(state, name, flag, value)
}

/** `-o value`, `-ovalue`, `-o=value`; every short flag here takes a value. */
function readShort(state: State, word: string): string | undefined {
  const letter = word.slice(1, 2)
  const found = Object.entries(state.flags).find(([, flag]) => flag.short === letter)
  if (found === undefined) return `unknown shorthand flag: '${letter}' in ${word}`
  const [name, flag] = found
  const rest = word.slice(2)
  if (rest !== '') return assign(state, name, flag, rest.startsWith('=') ? rest.slice(1) : rest)
  const value = state.pending.shift()
  return value === undefined ? `flag needs an argument: '${letter}' in ${word}` : assign(state, name, flag, value)
}

function assign(state: State, name: string, flag: GoFlag, value: string): string | undefined {
  if (flag.kind === 'text') state.texts.set(name, value)
  else if (flag.kind === 'list') state.lists.set(name, [...(state.lists.get(name) ?? []), value])
  else {
    const bool = BOOLS.get(value)
    if (bool === undefined)
      return `invalid argument ${JSON.stringify(value)} for "--${name}" flag: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`
    state.bools.set(name, bool)
  }
  return undefined
}
