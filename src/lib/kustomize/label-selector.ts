import { buildError } from './failure.ts'

/** A test of labels. */
export type LabelTest = (labels: ReadonlyMap<string, string>) => boolean

const TOKEN = /\s*(?:(!=|==|=|<|>|,|\(|\)|!)|([^\s=!<>,()]+))/y

/** Parses a label selector by Kubernetes' grammar: `a=b, c!=d, e in (f, g), h notin (i), j, !k`. */
export function parseLabelSelector(selector: string): LabelTest {
  const tokens = tokenize(selector)
  const tests: LabelTest[] = []
  while (tokens.length > 0) {
    tests.push(parseRequirement(tokens, selector))
    if (tokens.length > 0 && tokens.shift() !== ',') throw unparsable(selector)
  }
  return (labels) => tests.every((test) => test(labels))
}

function tokenize(selector: string): string[] {
  const tokens: string[] = []
  const text = selector.trim()
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text)
    if (!match) throw unparsable(selector)
    tokens.push(match[1] ?? match[2] ?? '')
  }
  return tokens
}

function parseRequirement(tokens: string[], selector: string): LabelTest {
  const first = tokens.shift() ?? ''
  if (first === '!') {
    const key = tokens.shift() ?? ''
    return (labels) => !labels.has(key)
  }
  if (!/^[A-Za-z0-9]([A-Za-z0-9_./-]*[A-Za-z0-9])?$/.test(first)) throw unparsable(selector)
  const operator = tokens[0]
  if (operator === undefined || operator === ',') return (labels) => labels.has(first)
  tokens.shift()
  if (operator === '=' || operator === '==') return equals(first, takeValue(tokens))
  if (operator === '!=') return negate(equals(first, takeValue(tokens)))
  if (operator === 'in' || operator === 'notin') {
    const values = takeSet(tokens, selector)
    const isIn: LabelTest = (labels) => values.has(labels.get(first) ?? '\0')
    return operator === 'in' ? isIn : negate(isIn)
  }
  if (operator === '>' || operator === '<') {
    const bound = Number(takeValue(tokens))
    return (labels) => {
      const value = Number.parseInt(labels.get(first) ?? '', 10)
      return operator === '>' ? value > bound : value < bound
    }
  }
  throw unparsable(selector)
}

function equals(key: string, value: string): LabelTest {
  return (labels) => labels.get(key) === value
}

function negate(test: LabelTest): LabelTest {
  return (labels) => !test(labels)
}

function takeValue(tokens: string[]): string {
  return tokens[0] === undefined || tokens[0] === ',' ? '' : (tokens.shift() ?? '')
}

function takeSet(tokens: string[], selector: string): Set<string> {
  if (tokens.shift() !== '(') throw unparsable(selector)
  const values = new Set<string>()
  for (;;) {
    const token = tokens.shift()
    if (token === undefined) throw unparsable(selector)
    if (token === ')') return values
    if (token === ',') continue
    values.add(token)
  }
}

function unparsable(selector: string): Error {
  return buildError(`unable to parse requirement: ${JSON.stringify(selector)} is no label selector`)
}
