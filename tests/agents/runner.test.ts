import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { createRegistryClient } from '../../src/adapters/registry/client.ts'
import { findEngine, parseBuilder } from '../../src/agents/runner/docker/engine.ts'
import { startRunner, type Runner, type RunnerOptions } from '../../src/agents/runner/start.ts'
import { openRecords, type RunRecord } from '../../src/agents/runner/records.ts'
import { serveGitd, type Gitd, type PushEvent } from '../../src/embedded/gitd/serve.ts'
import { serveRegistryd } from '../../src/embedded/registryd/serve.ts'
import type { FactBody } from '../../src/pipeline/record/fact.ts'
import { until } from '../support/wait.ts'

const TOKEN = 'git-s3cret-token'
const temp = mkdtempSync(join(tmpdir(), 'sluice-runner-'))
const facts: FactBody[] = []
let gitd: Gitd
let registry: Awaited<ReturnType<typeof serveRegistryd>>
let onPush: (event: PushEvent) => void = () => undefined

before(async () => {
  gitd = await serveGitd({ root: join(temp, 'git'), port: 0, token: TOKEN, onPush: (event) => onPush(event) })
  registry = await serveRegistryd({ root: join(temp, 'registry'), port: 0 })
})
after(async () => {
  await gitd.close()
  await registry.close()
  rmSync(temp, { recursive: true, force: true, maxRetries: 5 })
})

function git(cwd: string, ...args: string[]): string {
  const env = {
    ...process.env,
    HOME: temp,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'A',
    GIT_AUTHOR_EMAIL: 'a@b',
    GIT_COMMITTER_NAME: 'A',
    GIT_COMMITTER_EMAIL: 'a@b',
  }
  return execFileSync('git', args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
}

let repositories = 0

function writeAll(folder: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    const at = path.endsWith('.yml') && !path.includes('/') ? `.github/workflows/${path}` : path
    mkdirSync(dirname(join(folder, at)), { recursive: true })
    writeFileSync(join(folder, at), text)
  }
}

async function push(clone: string, files: Record<string, string>, to = 'HEAD:main'): Promise<void> {
  writeAll(clone, files)
  git(clone, 'add', '-A')
  git(clone, 'commit', '-q', '--allow-empty', '-m', 'change')
  // not by execFileSync: the server that answers lives in this process
  const code = await new Promise((resolve) =>
    spawn('git', ['push', '-q', 'origin', to], { cwd: clone }).once('exit', resolve),
  )
  assert.equal(code, 0)
}

/** A repository with these files, cloned; workflows by their short names. */
async function clonedUrl(files: Record<string, string>): Promise<{ name: string; clone: string }> {
  const name = `app${repositories + 1}`
  const folder = join(temp, `${name}-folder`)
  repositories++
  writeAll(folder, { 'README.md': 'x\n', ...files })
  await gitd.createRepository(name, { fromFolder: folder })
  const clone = join(temp, `${name}-clone`)
  const url = gitd.urlOf(name).replace('http://', `http://ada:${TOKEN}@`)
  const code = await new Promise((resolve) => spawn('git', ['clone', '-q', url, clone]).once('exit', resolve))
  assert.equal(code, 0)
  git(clone, 'config', 'user.name', 'Ada')
  git(clone, 'config', 'user.email', 'a@b')
  return { name, clone }
}

async function runner(
  extra: Partial<RunnerOptions> = {},
  stateDir = mkdtempSync(join(temp, 'state-')),
): Promise<Runner> {
  const started = await startRunner({
    git: { url: gitd.urlOf, token: TOKEN },
    stateDir,
    registry: { alias: 'registry.sluice.local', host: registry.host, url: registry.url },
    report: (fact) => void facts.push(fact),
    ...extra,
  })
  onPush = started.onPush
  return started
}

async function settled(of: Runner): Promise<readonly RunRecord[]> {
  const shown = (): string => JSON.stringify(of.runs().list.map(({ path, state }) => [path, state]))
  await until('all runs end', () => of.runs().active === 0, shown)
  return of.runs().list
}

function logsOf(of: Runner, run: RunRecord | undefined): string {
  const folder = of.logFolder(run?.id ?? '')
  const files = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort() : []
  return files
    .filter((name) => name.endsWith('.log'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n')
}

/** Pushes one workflow to main and answers its only run with its logs. */
async function once(
  yaml: string,
  extra: Partial<RunnerOptions> = {},
  files: Record<string, string> = {},
  stateDir?: string,
): Promise<{ run: RunRecord; logs: string }> {
  const { clone } = await clonedUrl(files)
  const of = await runner(extra, stateDir)
  await push(clone, { 'w.yml': yaml })
  const runs = await settled(of)
  const [run] = runs
  assert.ok(run, 'no run')
  assert.equal(runs.length, 1)
  const logs = logsOf(of, run)
  await of.close()
  return { run, logs }
}

const job = (steps: string, more = ''): string =>
  `name: W\non: push\njobs:\n  a:\n    runs-on: x\n${more}    steps:\n${steps}`

test('steps share files, environment, outputs and path; status functions decide', async () => {
  const { run, logs } = await once(
    job(`      - uses: actions/checkout@v4
      - id: one
        run: |
          echo "tag=1.2.3" >> "$GITHUB_OUTPUT"
          printf 'NOTE<<E\\nline 1\\nline 2\\nE\\n' >> "$GITHUB_ENV"
          mkdir -p "$RUNNER_TEMP/bin"; printf '#!/bin/sh\\necho from path\\n' > "$RUNNER_TEMP/bin/mine"; chmod +x "$RUNNER_TEMP/bin/mine"
          echo "$RUNNER_TEMP/bin" >> "$GITHUB_PATH"
          echo "::set-output name=old::style"
      - run: test -f README.md && echo "got \${{ steps.one.outputs.tag }} \${{ steps.one.outputs.old }} $NOTE" && mine
        env: {X: y}
      - run: exit 7
        id: bad
        continue-on-error: true
      - if: steps.bad.outcome == 'failure' && steps.bad.conclusion == 'success'
        run: echo forgiven $GITHUB_RUN_NUMBER $GITHUB_REF $GITHUB_EVENT_NAME
      - if: failure()
        run: echo never
      - run: false | true
        shell: bash
      - if: failure()
        run: echo cleaned up
      - run: echo not reached
`),
  )
  assert.equal(run.state, 'failed')
  assert.match(run.cause ?? '', /^\.github\/workflows\/w\.yml:24:9: job "a": the step ended with exit code 1/)
  assert.match(logs, /got 1\.2\.3 style line 1\nline 2\nfrom path/)
  assert.match(logs, /forgiven 1 refs\/heads\/main push/)
  assert.match(logs, /cleaned up/)
  assert.doesNotMatch(logs, /never$|^not reached/m)
})

test('secrets are masked in every stream, also in pieces, encoded and added late', async () => {
  const secrets = { KEY: 'hunter2-secret', LINES: 'first-line\nsecond-line' }
  const { run, logs } = await once(
    job(`      - env: {KEY: '\${{ secrets.KEY }}', LINES: '\${{ secrets.LINES }}'}
        run: |
          printf 'hun'; sleep 0.05; printf 'ter2-sec'; sleep 0.05; echo ret
          echo "$KEY" >&2
          echo "$LINES"
          printf '%s' "$KEY" | base64
          echo "::add-mask::later-secret"
          echo later-secret
          head -c 400000 /dev/zero | tr '\\0' 'x'; printf 'hunter2-secret'; head -c 400000 /dev/zero | tr '\\0' 'y'
          exit 3
      - if: always()
        run: echo "summary hunter2-secret" >> "$GITHUB_STEP_SUMMARY"
`),
    { secrets },
  )
  for (const hidden of ['hunter2', 'first-line', 'second-line', 'aHVudGVyMi1zZWNyZXQ', 'later-secret'])
    assert.ok(!logs.includes(hidden) && !JSON.stringify(run).includes(hidden), hidden)
  assert.match(logs, /summary \*\*\*/)
})

test('jobs: needs with outputs, matrix, skipped after failure, one run number after the other', async () => {
  const { clone } = await clonedUrl({})
  const of = await runner()
  const yaml = `name: W
on: push
jobs:
  first:
    runs-on: x
    outputs: {v: '\${{ steps.s.outputs.v }}'}
    steps: [{id: s, run: 'echo v=42 >> $GITHUB_OUTPUT'}]
  many:
    needs: first
    runs-on: x
    strategy: {fail-fast: false, matrix: {n: [1, 2], include: [{n: 3, extra: e}]}}
    steps: [{run: 'echo "n=\${{ matrix.n }} v=\${{ needs.first.outputs.v }} \${{ matrix.extra }} of \${{ strategy.job-total }}/\${{ strategy.max-parallel }}/\${{ strategy.fail-fast }}"; test \${{ matrix.n }} != 2'}]
  after:
    needs: many
    runs-on: x
    steps: [{run: echo unwanted}]
  always:
    needs: [many]
    if: always()
    runs-on: x
    steps: [{run: 'echo result \${{ needs.many.result }}'}]
`
  await push(clone, { 'w.yml': yaml })
  const [run] = await settled(of)
  const logs = logsOf(of, run)
  for (const text of ['n=1 v=42', 'n=2 v=42', 'n=3 v=42 e of 3/3/false', 'result failure'])
    assert.ok(logs.includes(text), text)
  assert.ok(!logs.includes('unwanted'))
  assert.equal(run?.state, 'failed')
  await push(clone, {})
  assert.deepEqual(
    (await settled(of)).map(({ number }) => number),
    [1, 2],
  )
  await of.close()
})

test('a run whose one job cannot be judged ends when its others have', async () => {
  const slow = `while [ ! -e ${temp}/judged ]; do sleep 0.02; done; sleep 0.2; echo went "on"`
  const yaml = `on: push
jobs:
  a:
    runs-on: x
    strategy: {fail-fast: false, matrix: {verdict: ['{', 'true']}}
    continue-on-error: \${{ fromJSON(matrix.verdict) }}
    steps: [{run: 'if [ "\${{ matrix.verdict }}" = true ]; then ${slow}; else touch ${temp}/judged; exit 1; fi'}]
`
  const { run, logs } = await once(yaml, { maxParallel: 2 })
  assert.match(run?.cause ?? '', /^\.github\/workflows\/w\.yml:4:5: /)
  assert.ok(logs.includes('went on'), logs)
})

test('filters: by path and branch; a pull request builds and gets no secrets; a tag', async () => {
  const filtered = `name: F\non:\n  push: {branches: [main], tags: ['v*'], paths: ['api/**']}\n  pull_request: {paths: ['api/**']}\njobs:\n  a: {runs-on: x, steps: [{run: 'echo "$GITHUB_EVENT_NAME $GITHUB_REF [\${{ secrets.KEY }}][\${{ github.token }}] $GITHUB_BASE_REF"'}]}\n`
  const { clone } = await clonedUrl({ 'w.yml': filtered })
  const of = await runner({ secrets: { KEY: 'hunter2-secret' } })
  await push(clone, { 'other/x': '1' })
  await push(clone, { 'other/x': '2' }, 'HEAD:refs/for/main')
  assert.equal((await settled(of)).length, 0)
  await push(clone, { 'api/x': '1' }, 'HEAD:refs/for/main')
  await settled(of)
  await push(clone, { 'api/x': '2' })
  await settled(of)
  await push(clone, {}, 'HEAD:refs/tags/v1.0.0')
  const runs = await settled(of)
  assert.deepEqual(
    runs.map(({ event }) => [event.name, event.ref]),
    [
      ['pull_request', 'refs/pull/2/merge'],
      ['push', 'refs/heads/main'],
      ['push', 'refs/tags/v1.0.0'],
    ],
  )
  assert.match(logsOf(of, runs[0]), /pull_request refs\/pull\/2\/merge \[\]\[\] main/)
  const told = facts.filter((fact) => fact.kind === 'run' && fact.state === 'succeeded').slice(-3)
  assert.deepEqual(
    told.map((fact) => fact.kind === 'run' && fact.event),
    ['pull_request', 'push', 'tag'],
  )
  await of.close()
})

for (const builder of ['own', 'buildah', 'podman', 'auto'] as const)
  test(
    `docker build, tag, push, images and inspect reach the registry by the builder ${builder}`,
    withBuilder(builder),
    async () => {
      const pushed: string[] = []
      const { run, logs } = await once(
        job(`      - uses: actions/checkout@v3
      - run: |
          docker build -t web:\${{ github.sha }} --build-arg V=7 ./web
          docker tag web:\${{ github.sha }} registry/web:1.0.$GITHUB_RUN_NUMBER
          echo pw | docker login -u x --password-stdin registry.sluice.local
          docker push registry/web:1.0.$GITHUB_RUN_NUMBER
          docker images | grep web
          docker inspect web:\${{ github.sha }} | grep '"v": "7"'
          ! docker run web
      - uses: docker/login-action@v3
        with: {registry: registry.sluice.local, username: x, password: pw}
      - id: meta
        uses: docker/metadata-action@v5
        with: {images: registry.sluice.local/meta, tags: 'type=sha'}
      - uses: docker/build-push-action@v6
        id: built
        with: {context: ./web, call: build, push: true, tags: '\${{ steps.meta.outputs.tags }}', build-args: V=8}
      - run: echo "digest \${{ steps.built.outputs.digest }}"
`),
        { builder, onImagePushed: ({ image, tag }) => void pushed.push(`${image}:${tag}`) },
        { 'web/Dockerfile': 'FROM scratch\nARG V\nLABEL v=$V\nCOPY a /a\n', 'web/a': 'a' },
      )
      assert.equal(run.state, 'succeeded', run.cause + logs)
      assert.deepEqual(pushed, [
        'registry.sluice.local/web:1.0.1',
        `registry.sluice.local/meta:sha-${run.event.commit.slice(0, 7)}`,
      ])
      const client = createRegistryClient()
      const stored = await client.headManifest({ host: registry.host, repository: 'web' }, '1.0.1')
      client.close()
      const digest = stored?.digest
      assert.ok(digest !== undefined)
      assert.ok(
        facts.some(
          (fact) =>
            fact.kind === 'image' &&
            fact.digest === digest &&
            fact.commit === run.event.commit &&
            fact.runId === run.id,
        ),
      )
      assert.match(logs, /digest sha256:[0-9a-f]{64}/)
      assert.match(logs, /docker run: this docker does build/)
      const engine = await findEngine(builder)
      assert.match(logs, engine ? new RegExp(`built by ${engine.name} \\d`) : /built by the builder of sluice/)
    },
  )

test('a builder that does not work here is refused by name, and "auto" takes none that does not', async () => {
  await assert.rejects(
    findEngine('podman', async () => undefined),
    /podman does not work on this machine/,
  )
  assert.equal(await findEngine('auto', async () => undefined), undefined)
  assert.throws(() => parseBuilder('kaniko'), /"kaniko" is no builder/)
  assert.equal(parseBuilder(undefined), 'own')
})

/** Engines keep their images in a folder of the test; where there is none, the line says so. */
function withBuilder(builder: 'own' | 'auto' | 'buildah' | 'podman'): { skip?: string } {
  if (builder === 'own') return {}
  const storage = join(temp, 'storage')
  writeFileSync(
    join(temp, 'storage.conf'),
    `[storage]\ndriver = "vfs"\ngraphroot = "${storage}/root"\nrunroot = "${storage}/run"\n`,
  )
  process.env['CONTAINERS_STORAGE_CONF'] = join(temp, 'storage.conf')
  if (builder === 'auto') return {}
  try {
    execFileSync(builder, ['info'], { stdio: 'ignore' })
    return {}
  } catch {
    return { skip: `${builder} is not on this machine or does not work (apt-get install ${builder})` }
  }
}

test('a job with the whole history can describe it and push back', async () => {
  const { clone } = await clonedUrl({})
  const of = await runner()
  git(clone, 'tag', 'v1.4.0')
  const code = await new Promise((resolve) =>
    spawn('git', ['push', '-q', 'origin', 'v1.4.0'], { cwd: clone }).once('exit', resolve),
  )
  assert.equal(code, 0)
  await push(clone, {
    'w.yml': `on: {push: {branches: [main]}}\njobs:\n  a:\n    runs-on: x\n    steps:\n      - {uses: actions/checkout@v4, with: {fetch-depth: 0}}\n      - run: |\n          git describe --tags\n          git config user.email a@b; git config user.name n\n          git commit -q --allow-empty -m x\n          git push -q origin HEAD:refs/heads/from-job\n`,
  })
  const [run] = await settled(of)
  const logs = logsOf(of, run)
  assert.equal(run?.state, 'succeeded', run?.cause)
  assert.match(logs, /v1\.4\.0-1-g/)
  await of.close()
})

test('a job that may only read gets no token: it checks out, and cannot push', async () => {
  const { run, logs } = await once(
    `on: push\npermissions: {contents: read}\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: actions/checkout@v4\n      - run: |\n          cat README.md; echo "token <\${{ github.token }}>"\n          git push -q origin HEAD:refs/heads/from-job\n`,
  )
  assert.equal(run.state, 'failed')
  assert.match(logs, /^x$/m)
  assert.match(logs, /token <>/)
})

test('what cannot run says so, with file and line: broken YAML, unknown action, unknown shell, missing folder', async () => {
  const cases: [string, RegExp][] = [
    ['on: push\njobs:\n  a:\n    runs-on: x\n    stepz: []\n', /^\.github\/workflows\/w\.yml:5:5: .*stepz/],
    [
      job('      - uses: some/action@v1\n'),
      /w\.yml:7:9: the action "some\/action@v1" is not built in.*docker\/build-push-action/,
    ],
    [
      job('      - {uses: docker/build-push-action@v6, with: {outputs: "type=registry"}}\n'),
      /docker\/build-push-action with "outputs" is not supported/,
    ],
    [job('      - {uses: docker/build-push-action@v6, with: {call: check}}\n'), /with "call" is not supported/],
    [job('      - {run: x, shell: fish}\n'), /the shell "fish" is not supported/],
    [job('      - {run: x, working-directory: gone}\n'), /"gone" does not exist/],
    [job('      - {run: x}\n', '    services: {db: {image: x}}\n'), /services/],
  ]
  for (const [yaml, cause] of cases) {
    const { run } = await once(yaml)
    assert.equal(run.state, 'failed')
    assert.match(run.cause ?? '', cause)
  }
})

test('a step that never ends, a job that never ends, a step that prints without end', async () => {
  const slow = await once(job(`      - {run: 'sleep 1000 & sleep 1000', timeout-minutes: 0.01}\n`))
  assert.match(slow.run.cause ?? '', /ran longer than 0\.01 minutes/)
  const job2 = await once(job('      - {run: sleep 1000}\n', '    timeout-minutes: 0.01\n'))
  assert.match(job2.run.cause ?? '', /timeout of 0\.01 minutes/)
  assert.equal(job2.run.state, 'failed')
  const loud = await once(job('      - {run: "yes this is a line"}\n'), { logCapBytes: 1 << 20 })
  assert.match(loud.run.cause ?? '', /printed more than 1048576 bytes/)
  assert.ok(loud.logs.length < 2 << 20)
  const flood = await once(job(`      - {run: "head -c 100000000 /dev/zero | tr '\\\\0' x"}\n`), {
    logCapBytes: 1 << 20,
  })
  assert.match(flood.run.cause ?? '', /printed more than/)
})

test('a step that leaves pipes where files are expected holds up nobody', async () => {
  const { run, logs } = await once(
    job(`      - run: for file in "$GITHUB_ENV" "$GITHUB_OUTPUT" "$0"; do rm -f "$file"; mkfifo "$file"; done
      - run: echo next
`),
  )
  assert.equal(run.state, 'succeeded')
  assert.match(logs, /^next$/m)
})

test('a step that asks for masks without end is ended, and says so', async () => {
  const { run } = await once(job('      - run: seq -f "::add-mask::mask-%07.0f" 1 1000000\n'))
  assert.equal(run.state, 'failed')
  assert.match(run.cause ?? '', /more texts to be masked than a job may have/)
})

test('half a mask, all that came of it before its step was ended, hides nothing of what is told', async () => {
  const { run, logs } = await once(
    job('      - run: printf ::add-mask::step; sleep 987\n        timeout-minutes: 0.02\n'),
  )
  assert.equal(run.state, 'failed')
  assert.match(run.cause ?? '', /the step ran longer than 0.02 minutes/)
  assert.match(logs, /^::add-mask::\*\*\*$/m)
})

test('a background process does not hold a step, and does not outlive its job', async () => {
  const { run, logs } = await once(job(`      - run: sleep 987 & echo $!\n`))
  assert.equal(run.state, 'succeeded')
  const pid = /^(\d+)$/m.exec(logs)?.[1]
  assert.ok(pid !== undefined)
  await until('its end', () => !isAlive(Number(pid)))
})

test('a process that left its step ends with the job, and a tree deeper than a path may be long goes with it', async () => {
  const stateDir = mkdtempSync(join(temp, 'state-'))
  const { run, logs } = await once(
    job(`      - run: |
          setsid --fork bash -c 'echo $$ > "$RUNNER_TEMP/pid"; exec sleep 987'
          for tries in $(seq 100); do test -s "$RUNNER_TEMP/pid" || sleep 0.05; done
          cat "$RUNNER_TEMP/pid"
          name=$(printf '%0200d' 1); for i in $(seq 1 25); do mkdir $name && cd $name; done
`),
    {},
    {},
    stateDir,
  )
  assert.deepEqual([run.state, run.cause], ['succeeded', undefined])
  const pid = Number(/^(\d+)$/m.exec(logs)?.[1])
  assert.ok(pid > 0)
  await until('its end', () => !isAlive(pid))
  assert.deepEqual(readdirSync(join(stateDir, 'work')), [])
})

test('a job whose folder cannot be removed keeps its result, and what was left holds up no later start', async (t) => {
  const stateDir = mkdtempSync(join(temp, 'state-'))
  const hold = process.getuid?.() === 0 ? ['chattr', '+i'] : ['chmod', '0555']
  const free = process.getuid?.() === 0 ? ['chattr', '-i'] : ['chmod', '0755']
  // the folder of the runs, held by what the job does to it
  const work = join(stateDir, 'work')
  t.after(() => execFileSync(free[0] ?? '', [free[1] ?? '', work]))
  const said: string[] = []
  const log = (line: string): void => void said.push(line)
  const { run } = await once(job(`      - run: ${hold.join(' ')} "${work}"\n`), { log }, {}, stateDir)
  if (said.length === 0) return t.skip('nothing here can be kept from being removed')
  assert.deepEqual([run.state, run.cause], ['succeeded', undefined])
  assert.match(said.join('\n'), /^runner: the folder ".*" cannot be removed: /)
  const again = await runner({ log }, stateDir)
  await again.close()
  assert.match(said.at(-1) ?? '', /^runner: what an earlier run left cannot be removed: /)
})

test('a line of one stream is not torn by the other', async () => {
  const { logs } = await once(
    job(`      - run: printf 'hunter2-'; sleep 0.1; echo meanwhile >&2; sleep 0.1; echo 'secret and more'\n`),
    { secrets: { KEY: 'hunter2-secret' } },
  )
  assert.match(logs, /^meanwhile$/m)
  assert.match(logs, /^\*\*\* and more$/m)
})

test('a mask that ends in the middle of a letter ends nothing but itself', async () => {
  const { run } = await once(
    job(`      - run: printf '::add-mask::%s\\U0001F600more\\n' "$(head -c 65523 /dev/zero | tr '\\0' x)"\n`),
  )
  assert.equal(run.state, 'succeeded')
})

test('workflows without end do not run and hold up nobody; the paths of a change are not kept with its runs', async () => {
  const { clone } = await clonedUrl({})
  const of = await runner()
  const files = Array.from(
    { length: 510 },
    (_, n) =>
      [`.github/workflows/w${1000 + n}.yml`, job('      - run: echo\n').replace('push', 'workflow_dispatch')] as const,
  )
  const yaml = job('      - run: echo hello\n')
  await push(clone, {
    ...Object.fromEntries(files),
    '.github/workflows/a-large.yml': 'x'.repeat(3 << 20),
    'b.yml': yaml,
  })
  const runs = (await settled(of)).toSorted((a, b) => (a.path < b.path ? -1 : 1))
  await of.close()
  assert.deepEqual(
    runs.map(({ path, state }) => [path.slice(18), state]).filter(([path]) => !/^w1[0-4]/.test(path ?? '')),
    [
      ['a-large.yml', 'failed'],
      ['b.yml', 'succeeded'],
    ],
  )
  assert.match(runs[0]?.cause ?? '', /a-large\.yml: the workflow has 3145728 bytes, more than are read/)
  const last = runs.at(-1)
  assert.match(last?.cause ?? '', /more than 500 workflows or 8 MiB of them: this one and 11 behind it do not run/)
  assert.ok(!JSON.stringify(runs).includes('changedPaths'))
})

test('a run can be cancelled; a newer one of its group takes its place', async () => {
  const { clone } = await clonedUrl({})
  const stateDir = mkdtempSync(join(temp, 'state-'))
  const of = await runner({}, stateDir)
  const yaml = job('      - {run: "sleep $(cat seconds 2>/dev/null || echo 1000)"}\n').replace(
    'on: push\n',
    'on: push\nconcurrency: {group: deploy, cancel-in-progress: true}\n',
  )
  await push(clone, { 'w.yml': yaml })
  await until('it runs', () => of.runs().list[0]?.state === 'running')
  await push(clone, {})
  await until('it runs', () => of.runs().list[1]?.state === 'running')
  assert.equal(of.runs().list[0]?.state, 'cancelled')
  const [, second] = of.runs().list
  assert.equal(of.cancel(second?.id ?? '', 'Ada')?.id, second?.id)
  assert.deepEqual(
    (await settled(of)).map(({ state }) => state),
    ['cancelled', 'cancelled'],
  )
  assert.equal(of.runs().list[1]?.cause, 'the run was cancelled by Ada')
  assert.equal(of.cancel(second?.id ?? '', 'Ada'), undefined, 'it has ended')
  await of.close()
  assert.ok(second)
  const records = openRecords(stateDir)
  records.save({ ...second, state: 'running', cancelledBy: 'Ada' })
  records.close()
  const next = await runner({}, stateDir)
  assert.equal(next.runs().list[1]?.state, 'cancelled', 'the process ended before the run did')
  await next.close()
})

test('jobs of a group run one at a time, also of other runs; a job that waits for its own run says so', async () => {
  const { clone } = await clonedUrl({})
  const of = await runner()
  const mark = `test ! -e ${temp}/inside && touch ${temp}/inside && sleep 0.2 && rm ${temp}/inside`
  const yaml = (group: string, top: string) =>
    `on: push\n${top}jobs:\n  a:\n    runs-on: x\n    strategy: {matrix: {n: [1, 2]}}\n    concurrency: {group: ${group}, queue: max}\n    steps: [{run: "${mark}"}]\n`
  await push(clone, {
    'one.yml': yaml('site', ''),
    'two.yml': yaml('SITE', ''),
    'self.yml': yaml('own', 'concurrency: own\n'),
  })
  const runs = await settled(of)
  const stateOf = (path: string) => runs.find((run) => run.path.endsWith(path))
  assert.equal(stateOf('one.yml')?.state, 'succeeded', stateOf('one.yml')?.cause)
  assert.equal(stateOf('two.yml')?.state, 'succeeded', stateOf('two.yml')?.cause)
  assert.match(stateOf('self.yml')?.cause ?? '', /group "own" that its own workflow is in/)
  await of.close()
})

test('the same push told twice runs once; what was cut off runs once more; a queue survives', async () => {
  const { clone, name } = await clonedUrl({
    'w.yml': job('      - {run: "echo attempt $GITHUB_RUN_ATTEMPT; test $GITHUB_RUN_ATTEMPT = 2 || sleep 1000"}\n'),
  })
  const stateDir = mkdtempSync(join(temp, 'state-'))
  const first = await runner({ maxParallel: 1 }, stateDir)
  await push(clone, { a: '1' })
  const head = git(clone, 'rev-parse', 'HEAD')
  const parent = git(clone, 'rev-parse', 'HEAD^')
  first.onPush({ repository: name, ref: 'refs/heads/main', before: parent, after: head, user: 'ada' })
  await until('it runs', () => first.runs().list[0]?.state === 'running')
  await first.close()
  assert.equal(first.runs().list.length, 1)
  const second = await runner({ maxParallel: 1 }, stateDir)
  const [run] = await settled(second)
  assert.equal(run?.state, 'succeeded', run?.cause)
  assert.equal(run?.attempt, 2)
  assert.equal(run?.number, 1)
  second.onPush({ repository: name, ref: 'refs/heads/main', before: parent, after: head, user: 'ada' })
  assert.equal((await settled(second)).length, 1)
  await second.close()
})

test('a run that is planned while the runner closes begins at the next start', async () => {
  const { clone } = await clonedUrl({ 'w.yml': job('      - {run: echo attempt $GITHUB_RUN_ATTEMPT}\n') })
  const stateDir = mkdtempSync(join(temp, 'state-'))
  const told: unknown[] = []
  let closed: Promise<void> | undefined
  const first: Runner = await runner({ report: (fact) => void (told.push(fact), (closed ??= first.close())) }, stateDir)
  await push(clone, { a: '1' })
  await until('it closes', () => closed !== undefined)
  await closed
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.equal(told.length, 1)
  assert.equal(first.runs().list[0]?.state, 'queued')
  const second = await runner({}, stateDir)
  const [run] = await settled(second)
  assert.deepEqual([run?.state, run?.attempt], ['succeeded', 1], run?.cause)
  await second.close()
})

test('what was cut off often waits before it is tried again, and says so', async () => {
  const { clone, name } = await clonedUrl({ 'w.yml': job('      - {run: sleep 1000}\n') })
  const stateDir = mkdtempSync(join(temp, 'state-'))
  const first = await runner({ maxParallel: 1 }, stateDir)
  await push(clone, { a: '1' })
  const [head, parent] = [git(clone, 'rev-parse', 'HEAD'), git(clone, 'rev-parse', 'HEAD^')]
  first.onPush({ repository: name, ref: 'refs/heads/main', before: parent, after: head, user: 'ada' })
  await until('it runs', () => first.runs().list[0]?.state === 'running')
  const [cutOff] = first.runs().list
  await first.close()
  assert.ok(cutOff)
  const records = openRecords(stateDir)
  records.save({ ...cutOff, cutOffs: 2 })
  records.close()
  const second = await runner({ maxParallel: 1 }, stateDir)
  const [waiting] = second.runs().list
  assert.deepEqual([waiting?.state, waiting?.cutOffs], ['queued', 3])
  const told = facts.flatMap((fact) => (fact.kind === 'run' && fact.runId === cutOff.id ? [fact.cause] : []))
  assert.equal(told.at(-1), 'it was cut off 3 times by the end of the process: runs again in 10 s')
  await second.close()
})

test('what fails because the disk is full runs again by itself; what only fails does not', async () => {
  const full = 'test $GITHUB_RUN_ATTEMPT = 2 || { echo "write: No space left on device"; exit 1; }'
  const { run } = await once(job(`      - {run: '${full}'}\n`))
  assert.deepEqual([run.state, run.attempt, run.cause], ['succeeded', 2, undefined], run.cause)
  const told = facts.flatMap((fact) => (fact.kind === 'run' && fact.runId === run.id ? [fact] : []))
  const queuedAgain = told.filter(({ state }) => state === 'queued')[1]?.cause ?? ''
  assert.match(queuedAgain, /^runs again by itself when there is room: .*w\.yml:7:9: .*No space left on device/)
  assert.deepEqual(
    told.map(({ state }) => state),
    ['queued', 'running', 'queued', 'running', 'succeeded'],
  )
  const tap = 'echo not ok 2 - greets; echo "  error: |-"; echo "# duration_ms 7"; exit 1'
  const { run: other } = await once(job(`      - {run: '${tap}'}\n`))
  assert.deepEqual([other.state, other.attempt], ['failed', 1])
  assert.match(other.cause ?? '', /the step ended with exit code 1: not ok 2 - greets$/)
})

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
