export const TAB = 9
export const LF = 10
export const CR = 13
export const SPACE = 32
export const DQUOTE = 34
export const HASH = 35
export const SQUOTE = 39
export const COMMA = 44
export const DASH = 45
export const COLON = 58
export const QUESTION = 63

/** Where a text begins: behind its byte order mark. */
export const startOf = (text: string): number => (text.startsWith('\ufeff') ? 1 : 0)
