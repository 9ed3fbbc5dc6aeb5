import { isIP } from 'node:net'

/**
 * True for `a@b`, `Name <a@b>` and a group of one: what Go's `mail.ParseAddress` reads, but that encoded words are not decoded.
 *
 * Reads by hand, once from left to right: expressions that say the same try the words of a name in every way there is.
 */
export const isMailAddress = (text: string): boolean => new MailReader(text).isSingle()

const QUOTE = '"'
const BACKSLASH = '\\'
const SPECIALS = '()<>[]:;@\\,"'

const isSpace = (char: string): boolean => char === ' ' || char === '\t'
const isVisible = (char: string): boolean => (char >= '!' && char <= '~') || char >= '\u0080'
const isAtomText = (char: string): boolean => isVisible(char) && !SPECIALS.includes(char)

class MailReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  isSingle(): boolean {
    return this.#addresses(true) === 1 && this.#skipComments() && this.#at === this.#text.length
  }

  /** How many addresses stand here; undefined where that is none and no group. */
  #addresses(mayBeGroup: boolean): number | undefined {
    this.#skipSpaces()
    const from = this.#at
    if (this.#plain()) return 1
    this.#at = from
    if (this.#peek() !== '<' && !this.#phrase()) return undefined
    this.#skipSpaces()
    if (mayBeGroup && this.#take(':')) return this.#group()
    return this.#take('<') && this.#plain() && this.#take('>') ? 1 : undefined
  }

  #group(): number | undefined {
    this.#skipSpaces()
    if (this.#take(';')) return 0
    for (let count = 1; this.#addresses(false) === 1 && this.#skipComments(); count++) {
      if (this.#take(';')) return count
      if (!this.#take(',')) return undefined
    }
    return undefined
  }

  /** An address without a name. */
  #plain(): boolean {
    this.#skipSpaces()
    const from = this.#at
    const isLocal = this.#peek() === QUOTE ? this.#quoted() && this.#at - from > 2 : this.#dotted()
    if (!isLocal || !this.#take('@')) return false
    this.#skipSpaces()
    return this.#peek() === '[' ? this.#literal() : this.#dotted()
  }

  /** A name: words, and comments behind the first. What is no word ends it. */
  #phrase(): boolean {
    for (let count = 0; ; count++) {
      if (count > 0 && !this.#skipComments()) return false
      this.#skipSpaces()
      const isWord = this.#peek() === QUOTE ? this.#quoted() : this.#atom() !== ''
      if (!isWord) return count > 0
    }
  }

  /** Stays where it is when there is none. */
  #quoted(): boolean {
    for (let at = this.#at + 1; at < this.#text.length; at++) {
      const char = this.#text.charAt(at)
      if (char === QUOTE) {
        this.#at = at + 1
        return true
      }
      const quoted = char === BACKSLASH ? this.#text.charAt(++at) : char
      if (!isVisible(quoted) && !isSpace(quoted)) return false
    }
    return false
  }

  #atom(): string {
    const from = this.#at
    while (isAtomText(this.#peek())) this.#at++
    return this.#text.slice(from, this.#at)
  }

  /** An atom whose dots stand one by one and inside it. */
  #dotted(): boolean {
    const atom = this.#atom()
    return atom !== '' && !atom.startsWith('.') && !atom.endsWith('.') && !atom.includes('..')
  }

  /** An address of a machine in brackets. */
  #literal(): boolean {
    const end = this.#text.indexOf(']', this.#at)
    if (end < 0) return false
    const address = this.#text.slice(this.#at + 1, end)
    this.#at = end + 1
    return isIP(address) !== 0 && !address.includes('%')
  }

  /** False for a comment without an end. */
  #skipComments(): boolean {
    this.#skipSpaces()
    while (this.#take('(')) {
      let depth = 1
      for (; depth > 0 && this.#at < this.#text.length; this.#at++) {
        const char = this.#peek()
        if (char === BACKSLASH) this.#at++
        else if (char === '(') depth++
        else if (char === ')') depth--
      }
      if (depth > 0) return false
      this.#skipSpaces()
    }
    return true
  }

  #skipSpaces(): void {
    while (isSpace(this.#peek())) this.#at++
  }

  #peek(): string {
    return this.#text.charAt(this.#at)
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false
    this.#at++
    return true
  }
}
