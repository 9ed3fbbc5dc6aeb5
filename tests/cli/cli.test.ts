import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { test } from 'node:test'

/**
 * Transcripts: `$ sluice …` lines with the output that follows and, unless it is 0, the exit code as `[exit N]`.
 * `…` in a wanted line stands for any text. Run in a copy of the folder of the same name, an empty one where there is none, shown
 * as DIR. UPDATE=1 rewrites them; read the diff.
 */
const folder = 'tests/fixtures/cli'
const bundle = resolve('dist/sluice.mjs')

for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
  const path = join(folder, file)
  const want = readFileSync(path, 'utf8')
  test(`transcript ${file}`, () => {
    const cwd = mkdtempSync(join(tmpdir(), 'sluice-cli-'))
    const files = path.slice(0, -'.txt'.length)
    if (existsSync(files)) cpSync(files, cwd, { recursive: true })
    const have = want
      .split('\n')
      .filter((line) => line.startsWith('$ '))
      .map((line) => replay(line, cwd))
      .join('\n')
    rmSync(cwd, { recursive: true })
    if (process.env.UPDATE === '1') return writeFileSync(path, have)
    assertMatches(have, want)
  })
}

function replay(line: string, cwd: string): string {
  const [, ...argv] = line.slice(2).split(' ')
  const { stdout, stderr, status } = spawnSync(process.execPath, [bundle, ...argv], {
    cwd,
    encoding: 'utf8',
    timeout: 60_000,
    env: { PATH: process.env.PATH ?? '' },
  })
  return (
    [line, `${stdout}${stderr}`.replaceAll(cwd, 'DIR').trimEnd(), status === 0 ? '' : `[exit ${status}]\n`]
      .filter((part) => part !== '')
      .join('\n') + (status === 0 ? '\n' : '')
  )
}

function assertMatches(have: string, want: string): void {
  const haveLines = have.trimEnd().split('\n')
  const wantLines = want.trimEnd().split('\n')
  for (const [index, line] of wantLines.entries()) {
    const pattern = new RegExp(
      `^${line
        .split('…')
        .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
        .join('.*')}$`,
    )
    assert.match(haveLines[index] ?? '', pattern)
  }
  assert.equal(haveLines.length, wantLines.length)
}

test('the launcher, node and package.json tell one version; the launcher hands on every other question', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  const env = { PATH: `${dirname(process.execPath)}:${process.env.PATH}` }
  const ask = (program: string, ...argv: string[]) => spawnSync(program, argv, { encoding: 'utf8', env }).stdout
  for (const said of [ask(bundle, 'version'), ask(process.execPath, bundle, 'version'), ask(bundle, '--version')])
    assert.equal(said, `sluice ${version}\n`)
  assert.deepEqual(JSON.parse(ask(bundle, 'version', '-o', 'json')), { version, node: process.version })
})

test('a command whose output nobody reads any further ends without a word', () => {
  for (const argv of ['--help', 'build examples/vps/environments/staging']) {
    const shell = `(node ${bundle} ${argv}; echo "exit $?" >&2) | true`
    const { stderr } = spawnSync('sh', ['-c', shell], { encoding: 'utf8', timeout: 60_000 })
    assert.match(stderr, /^exit (141|0)\n$/)
  }
})
