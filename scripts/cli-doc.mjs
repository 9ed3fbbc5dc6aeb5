// Writes docs/cli.md from the commands of dist/sluice.mjs. `node scripts/cli-doc.mjs`; tests/docs.test.ts checks that it is up to date.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = process.cwd()

const HEAD = `# Commands

\`node dist/sluice.mjs COMMAND\`, or \`sluice COMMAND\` once installed. Answers go to standard output, progress and errors to standard error.

| exit code | means |
| --- | --- |
| 0 | done |
| 1 | the answer is no, or something changed or stopped (\`build\` and \`diff\` keep their originals' codes) |
| 2 | the command line was not understood |
| 3 | failed |

The state folder is \`--state DIR\`, else that of the variable \`SLUICE_STATE\`, else \`.sluice\` in the folder where the command runs.
`

export function cliDoc() {
  const sluice = (...args) =>
    execFileSync(process.execPath, [join(root, 'dist', 'sluice.mjs'), ...args], { encoding: 'utf8' })
  const names = [...sluice('--help').matchAll(/^ {2}([a-z-]+) {2}/gm)].map(([, name]) => name)
  const sections = names.map((name) => {
    const [summary, ...usage] = sluice(name, '--help').trim().split('\n\n')
    const shown = usage.filter((part) => !part.startsWith('the state folder'))
    return `## ${name}\n\n${summary}\n\n\`\`\`\n${shown.join('\n\n').replace(/^usage: /, '')}\n\`\`\`\n`
  })
  return [HEAD, ...sections].join('\n')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync(join(root, 'docs/cli.md'), cliDoc())
