import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { workflowDoc } from '../scripts/workflow-compat.ts'

// @ts-expect-error a script without types
const { errorsDoc } = (await import('../scripts/errors-doc.mjs')) as { errorsDoc: () => string }
// @ts-expect-error a script without types
const { warningsDoc } = (await import('../scripts/warnings-doc.mjs')) as { warningsDoc: () => string }
// @ts-expect-error a script without types
const { cliDoc } = (await import('../scripts/cli-doc.mjs')) as { cliDoc: () => string }
// @ts-expect-error a script without types
const { numbersDoc } = (await import('../scripts/numbers-doc.mjs')) as { numbersDoc: (root: string) => string }

test('docs/errors.md is made from the codes (node scripts/errors-doc.mjs)', () => {
  assert.equal(readFileSync('docs/errors.md', 'utf8'), errorsDoc())
})

test('docs/warnings.md is made from the codes (node scripts/warnings-doc.mjs)', () => {
  assert.equal(readFileSync('docs/warnings.md', 'utf8'), warningsDoc())
})

test('docs/cli.md is made from the commands (node scripts/cli-doc.mjs)', () => {
  assert.equal(readFileSync('docs/cli.md', 'utf8'), cliDoc())
})

test('docs/compat/workflows.md is made from the keys (npx tsx scripts/workflow-compat.ts)', () => {
  assert.equal(readFileSync('docs/compat/workflows.md', 'utf8'), workflowDoc())
})

test('docs/numbers.md is made from the results of the benches (node scripts/numbers-doc.mjs)', () => {
  assert.equal(readFileSync('docs/numbers.md', 'utf8'), numbersDoc('.'))
})

const pages = [
  ...readdirSync('.'),
  ...readdirSync('docs', { recursive: true }).map((name) => join('docs', String(name))),
].filter((name) => name.endsWith('.md'))
for (const page of pages) {
  test(`${page} links to what is there`, () => {
    const links = [...readFileSync(page, 'utf8').matchAll(/\]\(([^)#:]+)(#[^)]*)?\)/g)].map(([, link = '']) => link)
    assert.deepEqual(
      links.filter((link) => !existsSync(join(dirname(page), link))),
      [],
    )
  })
}

/** What a page shows in code: `sluice NAME …`, as it stands there. */
function commandsOf(page: string): readonly { readonly name: string; readonly rest: string }[] {
  const code = [...readFileSync(page, 'utf8').matchAll(/```[^\n]*\n([\s\S]*?)```|`([^`\n]+)`/g)]
  const lines = code.flatMap(([, block, span]) => (block ?? span ?? '').split('\n'))
  return lines.flatMap((line) => {
    const found = /^\s*(?:sluice|node dist\/sluice\.mjs) ([a-z]+)(?=\s|$)([^#]*)/.exec(line)
    return found === null ? [] : [{ name: found[1] ?? '', rest: found[2] ?? '' }]
  })
}

const sections = new Map(
  readFileSync('docs/cli.md', 'utf8')
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section]),
)
/** `create` has flux's flags, of each kind its own: they stand in no usage line. */
const createSources = readdirSync('src/app/cli/create').map((name) =>
  readFileSync(join('src/app/cli/create', name), 'utf8'),
)
const isOfCreate = (name: string, flag: string): boolean =>
  name === 'create' && createSources.some((source) => new RegExp(`\\b${flag.slice(2)}\\b`).test(source))
for (const page of ['README.md', 'docs/guide.md', 'docs/operations.md', 'docs/kustomize.md', 'docs/flow.md']) {
  test(`${page} shows commands and flags that there are`, () => {
    const unknown = commandsOf(page).flatMap(({ name, rest }) => {
      const section = sections.get(name)
      if (section === undefined) return [name]
      const flags = [...rest.matchAll(/(?<=\s)--[a-z-]+/g)].map(([flag]) => flag)
      return flags.filter((flag) => !section.includes(flag) && !isOfCreate(name, flag)).map((flag) => `${name} ${flag}`)
    })
    assert.deepEqual(unknown, [])
  })
}
