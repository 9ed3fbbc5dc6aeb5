// Writes docs/compat/flux.md from the list of recorded scenarios of real Flux that we do not match. `node scripts/flux-compat.mjs`.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const misses = JSON.parse(readFileSync(join(root, 'tests/fixtures/flux-live-misses.json'), 'utf8'))
const rows = Object.entries(misses).map(([name, why]) => `| \`${name}\` | ${why} |`)
const traps = [
  ['a misspelt field of kustomization.yaml', 'the build fails and names it', 'everything is pruned, Ready=True'],
  ['an encrypted Secret without decryption', 'refused by name', 'ciphertext is applied'],
  ['an object of a second owner', 'refused, both owners named', 'the last one wins, in silence'],
  ['a dependsOn cycle', 'named; all outside it go on', 'never named; the source stops telling anyone of new revisions'],
  [
    '`force` and an answer "Invalid"',
    'recreated only when a field cannot change',
    'any invalid answer deletes the object',
  ],
  ['a changed `ignore` or included repository', 'takes effect at once', 'waits for the interval'],
].map((row) => `| ${row.join(' | ')} |`)
writeFileSync(
  join(root, 'docs/compat/flux.md'),
  `# Flux

Made by \`scripts/flux-compat.mjs\`. Measured with the recorded scenarios of Flux 2.9 (GitRepository and Kustomization), \`--traps flux\`, on a real control plane.

## Where we differ
A field that is not served yet is refused: Ready=False, reason NotSupported, the field named. Nothing is half obeyed.

| scenario | why |
| --- | --- |
${rows.join('\n')}

## Traps
| what | \`--traps safe\` (default) | \`--traps flux\` |
| --- | --- | --- |
${traps.join('\n')}
`,
)
