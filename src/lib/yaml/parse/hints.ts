/** What to do about a syntax error, by its text; a parser that knows more says so itself. */
const HINTS: Readonly<Record<string, string>> = {
  'block sequence entries are not allowed in this context': 'put the "- " on a line of its own, below the key',
  'mapping values are not allowed in this context':
    'check the indentation of this line, and quote a value that holds ": "',
  'did not find expected key': 'check the indentation: keys of one mapping stand in the same column',
  "did not find expected '-' indicator": 'check the indentation: items of one list stand in the same column',
  'did not find expected <document start>': 'separate documents by a line with --- alone',
  "could not find expected ':'": 'write "key: value", with a space behind the colon',
  'a `? key` without its `: value`': 'write the value behind ": " in the column of the "?"',
  "did not find expected ',' or ']'": 'close the [ that is open here, or separate its items by commas',
  "did not find expected ',' or '}'": 'close the { that is open here, or separate its fields by commas',
  'did not find expected node content': 'write a value, or quote the character',
  'did not find expected comment or line break': 'start the text of | and > on the next line',
  'did not find expected whitespace or line break': 'put a space behind the anchor or tag',
  'did not find expected alphabetic or numeric character': 'name the anchor: &name, *name',
  'found character that cannot start any token': 'quote the value; indent with spaces',
  'found unknown escape character': 'use single quotes for text with backslashes, or double the backslash',
  'did not find expected hexdecimal number': 'write \\x with two digits, \\u with four, \\U with eight',
  'found invalid Unicode character escape code': 'name a character that exists',
  'found unexpected document indicator': 'close the quote before the --- line',
  'found unexpected end of stream': 'close what is open at this place',
  'map merge requires map or sequence of maps as the value': 'give << an alias of a mapping, or a list of them',
  'invalid map merge: received alias for a non-map value': 'give << an alias of a mapping, or a list of them',
  'invalid map merge: received a nested sequence': 'give << an alias of a mapping, or a list of them',
  'duplicate merge key': 'write one `<<: [*a, *b]`',
}

/** What to do about a syntax error. */
export function hintFor(message: string): string | undefined {
  if (message.startsWith('unknown anchor')) return 'mark the value with &name above, in the same document'
  return HINTS[message]
}
