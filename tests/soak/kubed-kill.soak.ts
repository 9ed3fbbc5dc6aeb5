// `kill -9` of kubed at random moments under writes: what was acknowledged is there after the next start, what was acknowledged as deleted is not,
// and no version is given twice. SLUICE_KILLS (200), SLUICE_SEED.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomFrom } from '../kube/random.ts'
import { type Answer, type Api, apiOf, type Body } from '../kube/server.ts'
import { endKubedChild, startKubedChild } from '../kubed/child.ts'

const wanted = Number(process.env.SLUICE_KILLS ?? 200)
const seed = Number(process.env.SLUICE_SEED ?? Date.now() % 100_000)
const random = randomFrom(seed)
const MAPS = '/api/v1/namespaces/default/configmaps'
const NAMES = 40
const WRITERS = 8

/** What a name may be after a crash: the last acknowledged state, or that of a request that was under way. */
type Known = { readonly value: string | undefined; readonly version: number }
const known = new Map<string, Known>()
const underWay = new Map<string, string | undefined>()
const state = { highest: 0, acknowledged: 0, kills: 0, startMs: [] as number[] }
const dir = mkdtempSync(join(tmpdir(), 'kubed-kills-'))
try {
  for (; state.kills < wanted; state.kills++) await round()
} finally {
  rmSync(dir, { recursive: true, force: true })
}
state.startMs.sort((a, b) => a - b)
const { kills, acknowledged, startMs } = state
console.log(
  JSON.stringify({ seed, kills, acknowledged, lost: 0, medianStartMs: Math.round(startMs[startMs.length >> 1] ?? 0) }),
)

async function round(): Promise<void> {
  const beganMs = performance.now()
  const kubed = await startKubedChild(dir)
  state.startMs.push(performance.now() - beganMs)
  const api = apiOf(kubed.kubeconfig, async () => undefined)
  check((await api.call('GET', MAPS)).body)
  underWay.clear()
  let isOver = false
  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    for (let count = 0; !isOver; count++) if (!(await write(api, writer, count))) return
  })
  await sleep(10 + random.below(600))
  await endKubedChild(kubed)
  isOver = true
  await Promise.all(writers)
  await api.close()
}

/** Every writer has names of its own. Answers false when the server is gone. */
async function write(api: Api, writer: number, count: number): Promise<boolean> {
  const name = `m${writer + WRITERS * random.below(NAMES / WRITERS)}`
  const isDeletion = random.below(5) === 0
  const value = isDeletion ? undefined : `${state.kills}-${writer}-${count}`
  underWay.set(name, value)
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    data: { value, fill: 'x'.repeat(random.below(3000)) },
  }
  let answer: Answer
  try {
    answer = isDeletion
      ? await api.call('DELETE', `${MAPS}/${name}`)
      : await api.call('PATCH', `${MAPS}/${name}?fieldManager=soak`, object, 'application/apply-patch+yaml')
  } catch {
    return false
  }
  if (answer.body.kind === undefined) return false
  assert.ok(answer.code < 300 || (isDeletion && answer.code === 404), answer.text)
  underWay.delete(name)
  state.acknowledged++
  const version = Number(answer.body.metadata.resourceVersion ?? 0)
  if (!isDeletion) {
    assert.ok(version > state.highest - WRITERS * 100, `version ${version} comes back`)
    state.highest = Math.max(state.highest, version)
  }
  known.set(name, { value, version })
  return true
}

/** After a start: everything is one of what it may be. */
function check(list: Body): void {
  const found = new Map((list.items ?? []).map((each) => [each.metadata.name, each]))
  assert.ok(Number(list.metadata.resourceVersion) >= state.highest, 'the version of the server goes on')
  for (let index = 0; index < NAMES; index++) {
    const name = `m${index}`
    const object = found.get(name)
    const value = (object?.data as { value?: string } | undefined)?.value
    const last = known.get(name)
    const isKept =
      value === last?.value && (last?.value === undefined || Number(object?.metadata.resourceVersion) === last.version)
    const isLate = underWay.has(name) && value === underWay.get(name)
    assert.ok(
      isKept || isLate,
      `kill ${state.kills}, ${name}: ${value} instead of ${last?.value} or ${underWay.get(name)}`,
    )
    known.set(name, { value, version: Number(object?.metadata.resourceVersion ?? 0) })
  }
}
