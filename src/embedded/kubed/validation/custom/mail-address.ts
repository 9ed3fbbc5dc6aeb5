const ATOM = "[A-Za-z0-9!#$%&'*+\\-/=?^_`{|}~\\u0080-\\u{10ffff}]+"
const DOTTED = `${ATOM}(?:\\.${ATOM})*`
const QUOTED = '"(?:[^"\\\\\\x00-\\x08\\x0a-\\x1f\\x7f]|\\\\[^\\x00-\\x08\\x0a-\\x1f\\x7f])*"'
const SPACE = '[ \\t]*'
const ADDRESS = `(?:${DOTTED}|${QUOTED})${SPACE}@${SPACE}(?:${DOTTED}|\\[[0-9A-Fa-f:.]+\\])`
const WORD = `(?:${DOTTED}|${QUOTED})`
const PLAIN = new RegExp(`^${SPACE}${ADDRESS}${SPACE}$`, 'u')
const NAMED = new RegExp(`^${SPACE}(?:${WORD}${SPACE})*<${ADDRESS}>${SPACE}$`, 'u')

/** True for `a@b` and `Name <a@b>`: what Go's `mail.ParseAddress` reads, but for comments in brackets and groups. */
export const isMailAddress = (text: string): boolean => PLAIN.test(text) || NAMED.test(text)
