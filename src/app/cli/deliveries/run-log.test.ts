import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { RunRecord } from '../../../agents/runner/records.ts'
import type { Io } from '../command.ts'
import { runCli } from '../run.ts'

const root = mkdtempSync(join(tmpdir(), 'sluice-run-log-'))
after(() => rmSync(root, { recursive: true, force: true }))

const ID = '00112233445566ff'
const COMMIT = 'c'.repeat(40)
const run: RunRecord = {
  ...{ id: ID, number: 3, attempt: 1, repository: 'vps', workflow: 'Build web', path: '.github/workflows/web.yml' },
  event: { name: 'push', ref: 'refs/heads/develop', commit: COMMIT, before: '', actor: 'ada' } as RunRecord['event'],
  state: 'failed',
  cause: 'web.yml:9:9: exit code 1',
  queuedAtMs: 0,
}

function stateWith(runs: readonly RunRecord[], steps: Readonly<Record<string, string>>): string {
  const state = mkdtempSync(join(root, 'state-'))
  mkdirSync(join(state, 'runs/runs'), { recursive: true })
  for (const one of runs) writeFileSync(join(state, `runs/runs/${one.id}.json`), JSON.stringify(one))
  for (const [path, text] of Object.entries(steps)) {
    mkdirSync(join(state, 'runs/logs', ID, path, '..'), { recursive: true })
    writeFileSync(join(state, 'runs/logs', ID, path), text)
  }
  return state
}

const steps = {
  'build-0/001.log': '# actions/checkout@v4\nchecked out\n',
  'build-0/002.log': '# Test\none\ntwo\nERROR: web.yml:9:9: exit code 1\n',
  'scan-1/001.log': '# Scan\nfine\n',
}

async function sluice(state: string, line: string, onOut: (text: string) => void = () => undefined) {
  const texts = { out: '', err: '' }
  const io: Io = {
    out(text) {
      texts.out += `${text}\n`
      onOut(text)
    },
    err: (text) => void (texts.err += `${text}\n`),
    ...{ env: {}, cwd: state, isTty: false, signal: new AbortController().signal },
  }
  const code = await runCli([...line.split(' '), '--state', state], io)
  return { code, ...texts }
}

const cases: { it: string; line: string; code?: number; out?: RegExp; err?: RegExp }[] = [
  {
    it: 'prints job, step and line, and how it ended',
    line: 'logs run/0011',
    out: /^build\tactions\/checkout@v4\tchecked out\nbuild\tTest\tone\nbuild\tTest\ttwo\nbuild\tTest\tERROR: .*\nscan-1\tScan\tfine\n$/,
    err: /^Build web #3 on develop at ccccccc: failed: web\.yml:9:9: exit code 1\n$/,
  },
  { it: 'prints one job', line: `logs run/${ID}/scan`, out: /^scan-1\tScan\tfine\n$/ },
  {
    it: 'prints the end of each step',
    line: `logs run/${ID} --tail 1`,
    out: /^\S+\t.*checked out\n.*ERROR.*\n.*fine\n$/,
  },
  { it: 'names the jobs that there are', line: `logs run/${ID}/nope`, code: 3, err: /hint: it has: build, scan/ },
  { it: 'knows no other run', line: 'logs run/9999', code: 3, err: /no workflow run "9999"\n.*\n.*sluice run list/ },
  { it: 'goes by the words of gh', line: `run view ${ID} --log -j scan`, out: /^scan-1\tScan\tfine\n$/ },
  { it: 'shows the failed steps alone', line: `run view ${ID} --log-failed`, out: /^(build\tTest\t.*\n){3}$/ },
  {
    it: 'shows the steps',
    line: `run view ${ID}`,
    out: /failed\n.*exit code 1\n {2}· build {2}actions.*\n {2}✗ build {2}Test\n/,
  },
  { it: 'lists runs', line: 'run list', out: /failed +Build web #3 +develop +ccccccc +push +00112233445566ff/ },
  { it: 'lists those of a workflow', line: 'run list -w other.yml', out: /^no workflow run yet\n$/ },
  { it: 'counts', line: 'run list -L x', code: 2, err: /--limit is a number from 1 to 1000, not "x"/ },
  { it: 'ends nothing that has ended', line: `cancel ${ID}`, code: 3, err: /is no longer on its way: it has failed/ },
]
for (const { it, line, code = 0, out = /^$/, err = /^/ } of cases)
  test(`sluice ${line.split(' ')[0]} of a workflow run ${it}`, async () => {
    const answer = await sluice(stateWith([run], steps), line)
    assert.equal(answer.code, code, answer.err)
    assert.match(answer.out, out)
    assert.match(answer.err, err)
  })

test('sluice logs run/ID -f goes on until the run has ended', async () => {
  const state = stateWith([{ ...run, state: 'running' }], { 'build-0/001.log': '# Test\none\nhal' })
  const answer = await sluice(state, `logs run/${ID} -f`, (text) => {
    if (!text.endsWith('one')) return
    appendFileSync(join(state, 'runs/logs', ID, 'build-0/001.log'), 'f\nlast')
    writeFileSync(join(state, `runs/runs/${ID}.json`), JSON.stringify({ ...run, state: 'succeeded', cause: undefined }))
  })
  assert.deepEqual([answer.code, answer.out], [0, 'build\tTest\tone\nbuild\tTest\thalf\nbuild\tTest\tlast\n'])
})

test('sluice logs run/ID -f --tail N leaves out nothing of what comes', async () => {
  const log = 'build-0/001.log'
  const state = stateWith([{ ...run, state: 'running' }], { [log]: '# Test\none\ntwo\n' })
  const answer = await sluice(state, `logs run/${ID} -f --tail 1`, (text) => {
    if (!text.endsWith('two')) return
    appendFileSync(join(state, 'runs/logs', ID, log), 'three\nfour\n')
    writeFileSync(join(state, `runs/runs/${ID}.json`), JSON.stringify({ ...run, state: 'succeeded' }))
  })
  assert.equal(answer.out, 'build\tTest\ttwo\nbuild\tTest\tthree\nbuild\tTest\tfour\n')
})
