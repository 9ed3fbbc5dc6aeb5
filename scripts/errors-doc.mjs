// Writes docs/errors.md from src/lib/error/codes.ts. `node scripts/errors-doc.mjs`; tests/docs.test.ts checks that it is up to date.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = process.cwd()

export function errorsDoc() {
  const source = readFileSync(join(root, 'src/lib/error/codes.ts'), 'utf8')
  const table = source.slice(source.indexOf('ERROR_CODES = {'), source.indexOf('} as const'))
  const rows = [...table.matchAll(/^ {2}([A-Z_0-9]+):\s*(?:\n\s*)?(['"])(.*?)\2,$/gms)].map(
    ([, code, , text]) => `| \`${code}\` | ${text.replaceAll('|', '\\|').replaceAll("\\'", "'")} |`,
  )
  return [
    '# Error codes',
    '',
    'Every error says what, where and what to do. Its code is for machines; made from `src/lib/error/codes.ts`.',
    '',
    '| code | meaning, and what to do |',
    '| --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  writeFileSync(join(root, 'docs/errors.md'), errorsDoc())
