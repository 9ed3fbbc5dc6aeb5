import { buildError } from '../failure.ts'

/** A test of labels. */
export type LabelTest = (labels: ReadonlyMap<string, string>) => boolean

const TOKEN = /[ \t\r\n]*(?:(!=|==|[=<>,()!])|([^ \t\r\n=!<>,()]+))/y

/**
 * Parses a label selector by Kubernetes' grammar: `a=b, c!=d, e in (f, g), h notin (i), j, !k`.
 *
 * @throws SluiceError with Kubernetes' text
 * @see https://github.com/kubernetes/apimachinery/blob/master/pkg/labels/selector.go
 */
export function parseLabelSelector(selector: string): LabelTest {
  const tokens = tokenize(selector)
  const tests: LabelTest[] = []
  while (tokens.length > 0) {
    if (tokens[0] !== '!' && !isName(tokens[0]))
      throw buildError(`found '${tokens[0]}', expected: !, identifier, or 'end of string'`)
    tests.push(parseRequirement(tokens))
    const comma = tokens.shift()
    if (comma === undefined) break
    if (comma !== ',') throw buildError(`found '${comma}', expected: ',' or 'end of string'`)
    if (tokens[0] !== '!' && !isName(tokens[0]))
      throw buildError(`found '${tokens[0] ?? ''}', expected: identifier after ','`)
  }
  return (labels) => tests.every((test) => test(labels))
}

function tokenize(selector: string): string[] {
  const tokens: string[] = []
  const text = selector.trimEnd()
  TOKEN.lastIndex = 0
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) tokens.push(match[1] ?? match[2] ?? '')
  return tokens
}

const isName = (token: string | undefined): token is string => token !== undefined && !/^[=!<>,()]/.test(token)

function unparsable(text: string): Error {
  return buildError(`unable to parse requirement: ${text}`)
}

function parseRequirement(tokens: string[]): LabelTest {
  const isAbsent = tokens[0] === '!'
  if (isAbsent) tokens.shift()
  const key = tokens.shift()
  if (!isName(key)) throw unparsable(`found '${key ?? ''}', expected: identifier`)
  checkKey(key)
  const isLast = tokens[0] === undefined || tokens[0] === ','
  if (isAbsent && isLast) return (labels) => !labels.has(key)
  if (isLast) return (labels) => labels.has(key)
  const operator = tokens.shift() ?? ''
  if (operator === 'in' || operator === 'notin') return setTest(key, operator, tokens)
  if (!['=', '==', '!=', '<', '>'].includes(operator))
    throw unparsable(`found '${operator}', expected: '=', '!=', '==', 'in', notin'`)
  const value = takeValue(tokens)
  if (operator === '<' || operator === '>') return boundTest(key, operator, value)
  checkValue(key, value)
  const isEqual: LabelTest = (labels) => labels.get(key) === value
  return operator === '!=' ? (labels) => !isEqual(labels) : isEqual
}

function takeValue(tokens: string[]): string {
  if (tokens[0] === undefined || tokens[0] === ',') return ''
  const value = tokens.shift()
  if (!isName(value)) throw unparsable(`found '${value ?? ''}', expected: identifier`)
  return value
}

function boundTest(key: string, operator: '<' | '>', text: string): LabelTest {
  if (!INTEGER.test(text)) throw unparsable("for 'Gt', 'Lt' operators, the value must be an integer")
  checkValue(key, text)
  const bound = Number(text)
  return (labels) => {
    const label = labels.get(key) ?? ''
    if (!INTEGER.test(label)) return false
    return operator === '>' ? Number(label) > bound : Number(label) < bound
  }
}

const INTEGER = /^[-+]?\d+$/

function setTest(key: string, operator: 'in' | 'notin', tokens: string[]): LabelTest {
  const open = tokens.shift()
  if (open !== '(') throw unparsable(`found '${open ?? ''}' expected: '('`)
  const values = takeSet(tokens)
  for (const value of values) checkValue(key, value)
  const isIn: LabelTest = (labels) => values.has(labels.get(key) ?? '\0')
  return operator === 'in' ? isIn : (labels) => !isIn(labels)
}

/** The values up to `)`; nothing between two commas is the empty text. */
function takeSet(tokens: string[]): Set<string> {
  const values = new Set<string>()
  const first = tokens[0] ?? ''
  if (first !== ')' && first !== ',' && !isName(tokens[0]))
    throw unparsable(`found '${first}', expected: ',', ')' or identifier`)
  for (let before = ','; ;) {
    const token = tokens.shift()
    if (token === ')') return before === ',' ? values.add('') : values
    if (token === ',') {
      if (before === ',') values.add('')
    } else if (!isName(token)) throw unparsable(`found '${token ?? ''}', expected: ',', or identifier`)
    else if (before !== ',') throw unparsable(`found '${token}', expected: ',' or ')'`)
    else values.add(token)
    before = token
  }
}

const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/
const NAME_RULE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
const VALUE_RULE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"

function checkKey(key: string): void {
  const name = key.slice(key.indexOf('/') + 1)
  if (NAME.test(name) && name.length <= 63) return
  const rule = name.length > 63 ? 'name part must be no more than 63 characters' : `name part ${NAME_RULE}`
  throw unparsable(`invalid label key ${JSON.stringify(key)}: ${rule}`)
}

function checkValue(key: string, value: string): void {
  if (value === '' || (NAME.test(value) && value.length <= 63)) return
  const rule = value.length > 63 ? 'must be no more than 63 characters' : VALUE_RULE
  throw unparsable(`invalid label value: ${JSON.stringify(value)}: at key: ${JSON.stringify(key)}: ${rule}`)
}
