import type { ScalarStyle, YamlScalar } from '../nodes.ts'
import { isBase60, isOldBoolean, tagOf } from '../resolve.ts'

/** Where a scalar is written. */
export type ScalarContext = { readonly isInFlow: boolean; readonly isKey: boolean }

const BLOCK: ScalarContext = { isInFlow: false, isKey: false }
const NO_PLAIN_START = /^[#,[\]{}&*!|>'"%@`]|^[-?:](?:[ \t]|$)|^---|^\.\.\./
const NO_PLAIN_INSIDE = /:(?:[ \t]|$)|[ \t\n\u2028\u2029]#/
const NO_FLOW = /^[?:]|[,?[\]{}:]/
const UNPRINTABLE = /[^\n\t\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/
const BREAK = /[\n\u2028\u2029]/

/**
 * The style in which Go's yaml.v3 writes a scalar that asks for one: what the text does not allow becomes quotes.
 *
 * @see https://github.com/yaml/go-yaml/blob/v3/emitterc.go (yaml_emitter_select_scalar_style)
 */
export function styleFor(text: string, wanted: ScalarStyle, { isInFlow, isKey }: ScalarContext = BLOCK): ScalarStyle {
  const isMultiline = BREAK.test(text)
  let style: ScalarStyle = isKey && isMultiline ? 'double' : wanted
  if (style === 'plain' && !isPlain(text, isInFlow, isKey, isMultiline)) style = 'single'
  if (style === 'single' && !isSingle(text)) return 'double'
  if ((style === 'literal' || style === 'folded') && (isInFlow || isKey || !isBlock(text))) return 'double'
  return style
}

function isPlain(text: string, isInFlow: boolean, isKey: boolean, isMultiline: boolean): boolean {
  if (text === '') return !isInFlow && !isKey
  if (isMultiline || /^ | $|\t/.test(text) || UNPRINTABLE.test(text)) return false
  if (NO_PLAIN_START.test(text) || NO_PLAIN_INSIDE.test(text)) return false
  return !isInFlow || !NO_FLOW.test(text)
}

function isSingle(text: string): boolean {
  return !/[\n\u2028\u2029] | [\n\u2028\u2029]|\t/.test(text) && !UNPRINTABLE.test(text)
}

function isBlock(text: string): boolean {
  return text !== '' && !/ $| [\n\u2028\u2029]/.test(text) && !UNPRINTABLE.test(text)
}

/** The style that yaml.v3 gives to a text that a program made. */
export function styleOfText(text: string): ScalarStyle {
  if (text.includes('\n')) return styleFor(text, 'literal')
  const plain: YamlScalar = { ...NO_PLACE, kind: 'scalar', value: text, tag: '', style: 'plain' }
  const isText = tagOf(plain) === '!!str' && !isBase60(text) && !isOldBoolean(text)
  return styleFor(text, isText ? 'plain' : 'double')
}

const NO_PLACE = { source: undefined, start: 0, end: 0, keyStart: -1 }
