/** Chinese, Japanese and Korean letters belong to no word. */
const CJK = '\\u3400-\\u4D85\\u4E00-\\u9FCC\\u{20000}-\\u{2B81D}'
const SMALL = `(?![${CJK}\\p{Lu}])\\p{L}`
const CONNECTOR = '[-_\\p{White_Space}]'

/** The kinds of words, in the order in which they are looked for; of large letters before a small one, the last begins a word. */
const KINDS = [
  ['connector', `${CONNECTOR}+`],
  ['punctuation', '\\p{P}+'],
  ['capital', `\\p{Lu}+(?=\\p{Lu}${SMALL})|\\p{Lu}{2,}|\\p{Lu}(?:${SMALL})*`],
  ['small', `(?:${SMALL})+`],
  ['number', '\\p{N}+'],
  ['other', `[^](?:(?!${CONNECTOR}|\\p{P}|\\p{N}|${SMALL}|\\p{Lu})[^])*`],
] as const

type Kind = (typeof KINDS)[number][0] | 'none'
type Word = { readonly kind: Kind; readonly text: string }

const WORD = new RegExp(KINDS.map(([kind, pattern]) => `(?<${kind}>${pattern})`).join('|'), 'gu')
const NONE: Word = { kind: 'none', text: '' }

function wordsOf(text: string): readonly Word[] {
  return Array.from(text.matchAll(WORD), ({ 0: found, groups }) => ({
    kind: KINDS.find(([kind]) => groups?.[kind] !== undefined)?.[0] ?? 'other',
    text: found,
  }))
}

/**
 * A text in small letters, with a connector between its words: `FooBar x2` becomes `foo_bar_x2`.
 *
 * @see https://pkg.go.dev/github.com/huandu/xstrings#ToSnakeCase which sprig's `snakecase` and `kebabcase` are
 */
export function connectWords(text: string, connector: '_' | '-'): string {
  const words = wordsOf(text)
  let at = 0
  let out = ''
  const here = (): Word => words[at] ?? NONE
  const isAny = (...kinds: readonly Kind[]): boolean => kinds.includes(here().kind)
  const write = ({ kind, text: word }: Word): void => {
    if (kind === 'connector') out += connector.repeat([...word].length)
    else out += kind === 'capital' ? word.replace(/\p{Lu}/gu, small) : word
  }
  /** Small letters and digits behind digits stay with them. */
  const writeTail = (): void => {
    for (; isAny('small', 'number'); at++) write(here())
    if (!isAny('none', 'connector', 'punctuation')) out += connector
  }
  while (at < words.length - 1) {
    const before = here()
    write(before)
    at++
    if (before.kind === 'number') writeTail()
    else if (before.kind === 'connector' || before.kind === 'punctuation') continue
    else if (!isAny('number')) out += isAny('connector', 'punctuation') ? '' : connector
    else if (at < words.length - 1) {
      const number = here()
      const next = words[++at] ?? NONE
      if (next.kind === 'small') {
        out += connector
        write(number)
        writeTail()
      } else {
        write(number)
        out += isAny('connector', 'punctuation') ? '' : connector
      }
    }
  }
  write(here())
  return out
}

const isConnector = (char: string): boolean => /^[-_\p{White_Space}]$/u.test(char)
const isCapital = (char: string): boolean => /^\p{Lu}$/u.test(char)
/** One letter for one: `ß` stays itself. */
const cased = (char: string, other: string): string => ([...other].length === 1 ? other : char)
const capital = (char: string): string => cased(char, char.toUpperCase())
const small = (char: string): string => cased(char, char.toLowerCase())

/**
 * A text whose words begin with a large letter, without what is between them: `foo_bar X` becomes `FooBarX`.
 *
 * @see https://pkg.go.dev/github.com/huandu/xstrings#ToPascalCase which sprig's `camelcase` is
 */
export function joinWords(text: string): string {
  const chars = [...text]
  const start = chars.findIndex((char) => !isConnector(char))
  // of connectors alone, the last counts twice
  if (start < 0) return text + (chars.at(-1) ?? '')
  let out = chars.slice(0, start).join('')
  let held = capital(chars[start] ?? '')
  let isLowering = isCapital(chars[start] ?? '')
  for (const char of chars.slice(start + 1)) {
    if (!isConnector(held)) {
      isLowering &&= isCapital(char)
      out += held
      held = isLowering ? small(char) : char
    } else if (isConnector(char)) {
      out += held
      held = char
    } else {
      isLowering = isCapital(char)
      held = capital(char)
    }
  }
  return out + held
}
