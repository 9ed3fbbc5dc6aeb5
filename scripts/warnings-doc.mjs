// Writes docs/warnings.md from src/lib/kustomize/findings.ts. `node scripts/warnings-doc.mjs`; tests/docs.test.ts checks that it is up to date.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = process.cwd()

export function warningsDoc() {
  const source = readFileSync(join(root, 'src/lib/kustomize/findings.ts'), 'utf8')
  const table = source.slice(source.indexOf('FINDING_CODES = {'), source.indexOf('} as const'))
  const rows = [...table.matchAll(/^ {2}([A-Z_]+):\s*(['"])(.*?)\2,$/gms)].map(
    ([, code, , text]) => `| \`${code}\` | ${text.replaceAll('|', '\\|').replaceAll("\\'", "'")} |`,
  )
  return [
    '# Warnings of a build',
    '',
    'kustomize accepts these in silence, and they are probably mistakes. `sluice build` tells them on standard error, behind the output, with file, line and',
    "column; the engine writes them to its log when it builds (not with `--traps flux`). Output and exit code stay kustomize's. The library gives the first five in `findings` of every build,",
    'the others by `findInObjects`, which looks at the built objects with the schema of their kinds. Made from `src/lib/kustomize/findings.ts`.',
    '',
    '| code | meaning, and what to do |',
    '| --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  writeFileSync(join(root, 'docs/warnings.md'), warningsDoc())
