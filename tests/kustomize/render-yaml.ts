import type { Random } from './generate-tree.ts'

/** Writes a value as YAML or JSON in one of the many ways in which people write it. */
export function renderValue(r: Random, value: unknown): string {
  const style = r.next()
  if (style < 0.3) return JSON.stringify(value, undefined, r.pick([undefined, 1]))
  return block(r, value, '', style < 0.6)
}

function block(r: Random, value: unknown, pad: string, isPlain: boolean): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]\n'
    return `\n${value.map((item) => comment(r, pad) + item_(r, item, pad, isPlain)).join('')}`.replace(
      /^\n/,
      pad === '' ? '' : '\n',
    )
  }
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined)
    if (fields.length === 0) return '{}\n'
    const lines = fields.map(
      ([key, field]) => `${comment(r, pad)}${pad}${scalar(key, isPlain)}: ${block(r, field, `${pad}  `, isPlain)}`,
    )
    return `${pad === '' ? '' : '\n'}${lines.join('')}`
  }
  return `${text(r, value, pad, isPlain)}${r.chance(0.05) ? ' # note' : ''}\n`
}

function item_(r: Random, item: unknown, pad: string, isPlain: boolean): string {
  const inner = block(r, item, `${pad}  `, isPlain)
  return inner.startsWith('\n') ? `${pad}- ${inner.slice(1).trimStart()}` : `${pad}- ${inner}`
}

const comment = (r: Random, pad: string): string => (r.chance(0.03) ? `${pad}# a comment\n` : '')

function text(r: Random, value: unknown, pad: string, isPlain: boolean): string {
  if (typeof value !== 'string') return JSON.stringify(value)
  if (value.includes('\n') && /^[^\s]/.test(value) && r.chance(0.7))
    return `|${value.endsWith('\n') ? '' : '-'}\n${value.trimEnd().replace(/^(?=.)/gm, pad)}`
  return scalar(value, isPlain)
}

/** Without quotes where that is the same text to every reader. */
function scalar(value: string, isPlain: boolean): string {
  const isSafe =
    /^[A-Za-z_./-][\w./-]*$/.test(value) && !/^(?:y|n|yes|no|on|off|true|false|null|~|[-.].*)$/i.test(value)
  return isPlain && isSafe ? value : JSON.stringify(value)
}
