// Writes docs/compat/workflows.md from src/pipeline/ci/workflow-keys.ts. `npx tsx scripts/workflow-compat.ts`; tests/docs.test.ts checks that it is up to date.
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { WORKFLOW_KEYS, type KeyRule } from '../src/pipeline/ci/workflow-keys.ts'

const WORDS = { obeyed: 'obeyed', ignored: 'means nothing here', refused: 'refused by name' }

/** The page, whole. */
export function workflowDoc(): string {
  const table = (place: KeyRule['place']): string[] => [
    `## Keys of a ${place}`,
    '',
    '| key | here | |',
    '| --- | --- | --- |',
    ...WORKFLOW_KEYS.filter((row) => row.place === place).map(
      ({ key, rule, note }) => `| \`${key}\` | ${WORDS[rule]} | ${note} |`,
    ),
    '',
  ]
  return [
    '# GitHub workflows',
    '',
    'Files are read by GitHub’s own parser and schema; what it refuses, we refuse. Made from `src/pipeline/ci/workflow-keys.ts`, which a test holds against every key of that schema.',
    '',
    ...table('workflow'),
    ...table('job'),
    ...table('step'),
  ].join('\n')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  writeFileSync('docs/compat/workflows.md', workflowDoc())
