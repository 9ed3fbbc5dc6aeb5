import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCli } from '../../src/app/cli/run.ts'

/**
 * Golden folders: `first/` is committed by Ann, `second/` over it by Ben, `worktree/` is not committed; `ask.txt` holds command lines
 * of `sluice blame`, `want.txt` what they print. UPDATE=1 rewrites it; read the diff.
 */
const root = 'tests/fixtures/blame'
const COMMITS = [
  { folder: 'first', author: 'Ann', date: '2026-01-05T10:00:00Z' },
  { folder: 'second', author: 'Ben', date: '2026-02-06T10:00:00Z' },
]

for (const name of readdirSync(root))
  test(`blame ${name}`, async () => {
    const cwd = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-blame-')))
    try {
      makeRepository(join(root, name), cwd)
      const lines = readFileSync(join(root, name, 'ask.txt'), 'utf8')
        .trim()
        .split('\n')
      const have: string[] = []
      for (const line of lines) have.push(`$ sluice blame ${line}`, await ask(line.split(' '), cwd), '')
      const want = join(root, name, 'want.txt')
      if (process.env['UPDATE']) writeFileSync(want, have.join('\n'))
      assert.equal(have.join('\n'), readFileSync(want, 'utf8'))
    } finally {
      rmSync(cwd, { recursive: true })
    }
  })

function makeRepository(from: string, cwd: string): void {
  const git = (author: string, date: string, ...argv: string[]): void => {
    const who = { NAME: author, EMAIL: `${author}@example.org`, DATE: date }
    const env = Object.fromEntries(
      ['AUTHOR', 'COMMITTER'].flatMap((role) =>
        Object.entries(who).map(([key, value]) => [`GIT_${role}_${key}`, value]),
      ),
    )
    execFileSync('git', ['-C', cwd, ...argv], {
      stdio: 'pipe',
      env: { ...env, PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
    })
  }
  git('', '', 'init', '-q')
  for (const { folder, author, date } of COMMITS) {
    cpSync(join(from, folder), cwd, { recursive: true })
    git(author, date, 'add', '-A')
    git(author, date, 'commit', '-qm', `${folder} of all`)
  }
  if (existsSync(join(from, 'worktree'))) cpSync(join(from, 'worktree'), cwd, { recursive: true })
}

async function ask(argv: readonly string[], cwd: string): Promise<string> {
  const lines: string[] = []
  const say = (text: string): void => void lines.push(text)
  const io = { out: say, err: say, env: {}, cwd, isTty: false, signal: new AbortController().signal }
  const code = await runCli(['blame', ...argv], io)
  return [...lines, ...(code === 0 ? [] : [`[exit ${code}]`])].join('\n')
}
