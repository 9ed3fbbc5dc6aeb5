import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appliedPaths, essence } from './compare.ts'
import { KINDS, type Kind, randomOperation } from './operations.ts'
import type { Place } from './place.ts'
import { randomFrom } from './random.ts'
import type { Answer, Body, WatchEvent } from './server.ts'

/** SLUICE_SEQUENCES more than CI has time for. */
const SEQUENCES = Number(process.env.SLUICE_SEQUENCES ?? 12)
const LENGTH = 12
/** Every gate asks the same; other seeds are tried by `npm run soak -- kubed-random`. */
const seed = Number(process.env.SLUICE_SEED ?? 1)

/** What holds whatever is asked, in whatever order. */
export function invariantTests(inNamespace: () => Promise<Place>): void {
  for (const kind of KINDS)
    test(`random operations on a ${kind.name} keep the invariants (seed ${seed})`, async () => {
      const place = await inNamespace()
      const collection = kind.collection(place.namespace)
      const start = (await place.api.call('GET', collection)).body.metadata.resourceVersion
      const versions: string[] = []
      for (let round = 0; round < SEQUENCES; round++) await sequence(place, kind, seed + round, `o${round}`, versions)
      const events = await place.api.watch(
        `${collection}?watch=true&resourceVersion=${start}&timeoutSeconds=600`,
        (all) => all.length === versions.length,
      )
      assertOnce(events, versions)
      const end = (await place.api.call('GET', collection)).body
      assert.deepEqual(
        replayed(events),
        Object.fromEntries(
          (end.items ?? [])
            .filter(({ metadata }) => /^o\d+$/.test(metadata.name))
            .map((each) => [each.metadata.name, essence(bare(each))]),
        ),
      )
    })
}

/** One object, some random requests; every version that they make goes to `versions`. */
async function sequence(
  { api, namespace }: Place,
  kind: Kind,
  number: number,
  name: string,
  versions: string[],
): Promise<void> {
  const random = randomFrom(number)
  const collection = kind.collection(namespace)
  const read = async (): Promise<Body | undefined> => {
    const { code, body } = await api.call('GET', `${collection}/${name}`)
    return code === 200 ? body : undefined
  }
  let before = await read()
  for (let step = 0; step < LENGTH; step++) {
    const { method, path, type, body, manager, isForced } = randomOperation(random, kind, name)
    const where = `seed ${number}, step ${step}: ${method} ${path} ${JSON.stringify(body)}`
    const isTried = random.below(2) === 0
    const send = (more: string): Promise<Answer> =>
      api.call(method, collection + path + (path.includes('?') ? `&${more}` : `?${more}`), body, type)
    const tried = isTried ? await send('dryRun=All') : undefined
    if (tried !== undefined) assert.deepEqual(await read(), before, `a dry run leaves everything as it was: ${where}`)
    const answer = await send('')
    let after = await read()
    if (tried !== undefined) assertForetold(tried, answer, where)
    if (answer.code >= 400) assert.deepEqual(after, before, `what is refused changes nothing: ${where}`)
    assertVersion(before, after, versions, where)
    assertGeneration(before, after, where)
    if (manager !== undefined && answer.code < 300) {
      await assertSettled(() => send(''), answer, versions, where)
      after = await read()
      if (before !== undefined && after !== undefined && isForced === false)
        assertNothingTaken(before, after, manager, where)
    }
    before = after
  }
}

/**
 * Applied twice as once. Managers are sorted by the second in which they last wrote: in the next one the real server
 * may write their new order, and nothing else, and that once.
 */
async function assertSettled(
  send: () => Promise<Answer>,
  answer: Answer,
  versions: string[],
  where: string,
): Promise<void> {
  const again = await send()
  if (again.text === answer.text) return
  assert.deepEqual(essence(again.body), essence(answer.body), `applied twice as once: ${where}`)
  assert.notEqual(lastTime(again.body), lastTime(answer.body), `written again in the same second: ${where}`)
  versions.push(again.body.metadata.resourceVersion)
  assert.equal((await send()).text, again.text, `applied three times as twice: ${where}`)
}

const lastTime = ({ metadata }: Body): string | undefined =>
  (metadata.managedFields as { time: string }[])
    .map(({ time }) => time)
    .sort()
    .at(-1)

function assertForetold(tried: Answer, answer: Answer, where: string): void {
  assert.equal(tried.code, answer.code, `a dry run foretells the answer: ${where}`)
  if (answer.code < 300)
    assert.deepEqual(essence(tried.body), essence(answer.body), `a dry run foretells the object: ${where}`)
}

/** A change has a higher version; what changes nothing keeps it. */
function assertVersion(before: Body | undefined, after: Body | undefined, versions: string[], where: string): void {
  if (after === undefined) {
    if (before !== undefined) versions.push(`after ${before.metadata.resourceVersion}`)
    return
  }
  const { resourceVersion } = after.metadata
  if (resourceVersion === before?.metadata.resourceVersion)
    return assert.deepEqual(after, before, `the same version is the same object: ${where}`)
  const last = Number(versions.at(-1)?.replace('after ', '') ?? 0)
  assert.ok(Number(resourceVersion) > last, `${resourceVersion} comes after ${last}: ${where}`)
  versions.push(resourceVersion)
}

/** Generations count changes of spec, a Deployment's those of its annotations too, and nothing else. */
function assertGeneration(before: Body | undefined, after: Body | undefined, where: string): void {
  if (before === undefined || after === undefined || before.metadata.uid !== after.metadata.uid) return
  const grown = Number(after.metadata.generation ?? 0) - Number(before.metadata.generation ?? 0)
  const counted = ({ spec, metadata }: Body): string => JSON.stringify(essence([spec, metadata.annotations]))
  const isChanged = counted(before) !== counted(after)
  assert.equal(grown, isChanged && after.metadata.generation !== undefined ? 1 : 0, `generation: ${where}`)
}

/** What others own by apply has the value that it had. */
function assertNothingTaken(before: Body, after: Body, manager: string, where: string): void {
  const now = appliedPaths(after, () => true)
  for (const [path, value] of appliedPaths(before, (other) => other !== manager))
    if (now.has(path)) assert.equal(now.get(path), value, `${path} was taken without force: ${where}`)
}

/** Every version that the writes made, once, in order. */
function assertOnce(events: readonly WatchEvent[], versions: readonly string[]): void {
  assert.equal(events.length, versions.length)
  for (const [index, { type, object }] of events.entries()) {
    const wanted = versions[index] ?? ''
    if (type === 'DELETED') assert.match(wanted, /^after /)
    else assert.equal(object.metadata.resourceVersion, wanted)
    const previous = events[index - 1]?.object.metadata.resourceVersion ?? '0'
    assert.ok(Number(object.metadata.resourceVersion) > Number(previous), 'events come in the order of their versions')
  }
}

/** What a client that follows has at the end. */
function replayed(events: readonly WatchEvent[]): Record<string, unknown> {
  const out = new Map<string, unknown>()
  for (const { type, object } of events)
    if (type === 'DELETED') out.delete(object.metadata.name)
    else out.set(object.metadata.name, essence(bare(object)))
  return Object.fromEntries(out)
}

function bare({ kind: _kind, apiVersion: _version, ...rest }: Body): object {
  return rest
}
