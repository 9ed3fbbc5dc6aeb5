import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, test } from 'node:test'

const bundle = resolve('dist/sluice.mjs')
const cwd = mkdtempSync(join(tmpdir(), 'sluice-completion-'))
after(() => rmSync(cwd, { recursive: true, force: true }))
mkdirSync(join(cwd, '.sluice/runs/runs'), { recursive: true })
writeFileSync(join(cwd, '.sluice/runs/runs/a.json'), JSON.stringify({ id: '00ff00ff00ff00ff', queuedAtMs: 1 }))
mkdirSync(join(cwd, '.sluice/git-tokens'))
const kept = { sha256: '0'.repeat(64), createdAt: '2026-01-01T00:00:00.000Z' }
writeFileSync(join(cwd, '.sluice/git-tokens/ann.json'), JSON.stringify(kept))
writeFileSync(join(cwd, 'some-file.yaml'), '')

/** Completes words in a real bash that has sourced the script. */
function complete(...lines: readonly string[][]): readonly string[] {
  const asks = lines.map(
    (words) =>
      `COMP_WORDS=(sluice ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _sluice; echo "\${COMPREPLY[*]}"`,
  )
  const script = `sluice() { '${process.execPath}' '${bundle}' "$@"; }; source <(sluice completion bash); ${asks.join('; ')}`
  return execFileSync('bash', ['--norc', '-c', script], { cwd, encoding: 'utf8' }).trim().split('\n')
}

test('bash completes commands, kinds, flags, runs, tokens and files', () => {
  const found = complete(
    ['hist'],
    ['get', 'kust'],
    ['history', '--li'],
    ['cancel', ''],
    ['logs', 'run/'],
    ['token', 'rev'],
    ['token', 'revoke', 'a'],
    ['build', 'some'],
  )
  assert.deepEqual(found, [
    'history',
    'kustomization',
    '--limit',
    '00ff00ff00ff00ff --state',
    'run/00ff00ff00ff00ff',
    'revoke',
    'ann',
    'some-file.yaml',
  ])
})

const noFish = existsSync('/usr/bin/fish') ? false : 'no fish on this machine'
test('fish completes the same, and files where it knows nothing', { skip: noFish }, () => {
  const setUp = `function sluice; '${process.execPath}' '${bundle}' $argv; end; sluice completion fish | source`
  const asks = ['sluice hist', 'sluice history --li', 'sluice logs run/', 'sluice build some']
  const script = [setUp, ...asks.map((line) => `complete -C '${line}' | string replace -r '\\t.*' ''`), 'true'].join(
    '; ',
  )
  const found = execFileSync('fish', ['--no-config', '-c', script], { cwd, encoding: 'utf8' })
  assert.deepEqual(found.trim().split('\n'), ['history', '--limit', 'run/00ff00ff00ff00ff', 'some-file.yaml'])
})
