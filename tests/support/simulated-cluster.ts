import assert from 'node:assert/strict'
import { ApiError } from '../../src/adapters/kube/api-error.ts'
import type { HttpKubeClient } from '../../src/adapters/kube/client.ts'
import { shareCaches, type SharedCaches } from '../../src/adapters/kube/shared-caches.ts'
import type { KubeClient, KubeResource, Selection, WatchEvent } from '../../src/adapters/kube/types.ts'
import { type Bench, createBench } from '../../src/agents/workloads/bench.ts'
import type { Clock } from '../../src/engine/clock.ts'
import type { Controller } from '../../src/engine/controller.ts'
import { startController } from '../../src/engine/converge.ts'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { seededRandom } from './seeded-random.ts'
import { isSelected, shown, type SimulatedStore, simulatedStore } from './simulated-store.ts'

/** When simulations begin. */
export const START_MS = Date.parse('2026-11-23T04:00:00Z')

/** Choices of a seed. */
export type Chance = {
  readonly pick: <T>(items: readonly T[]) => T
  readonly is: (share: number) => boolean
  readonly int: (most: number) => number
}

/** An API server, the watches on it and the time, in which the seed says what happens next. */
export type SimulatedCluster = {
  readonly store: SimulatedStore
  readonly chance: Chance
  readonly clock: TurnedClock
  /**
   * Runs controllers until nothing happens any more, then ends them; answers what they wrote.
   *
   * The seed chooses the next of what is under way: a request that is answered, an event that arrives at one of the watches, something that others do.
   * Time passes only when nothing else can happen. So requests cross, copies are behind each other, and whatever happens, happens again with the same seed.
   */
  readonly run: (controllers: Controllers, options?: RunOptions) => Promise<readonly string[]>
}

// Each controller's own types matter to nobody here.
export type Controllers = (
  bench: Bench,
  caches: SharedCaches,
) => readonly (Controller<any, any, any> | Controller<any, never, any>)[]

export type RunOptions = {
  /** How many requests fail at most. */
  readonly faults?: number
  /** How they do; in any of these ways unless said. */
  readonly failures?: readonly Failure[]
  /** What people do meanwhile, in this order. */
  readonly others?: readonly (() => void)[]
  /** What they do when all that is under way has ended, one after the other. */
  readonly later?: readonly (() => void)[]
  /** What the rest of a cluster could do now; again and again, until nothing. */
  readonly world?: () => readonly (() => void)[]
  /** What the rest of a cluster does for a while, between other things and whenever nothing else happens; answers whether it is busy. */
  readonly round?: () => boolean
  /** How far time goes at most while it is; a minute unless said. */
  readonly roundMs?: number
  /** After so many steps the process ends, wherever it is. */
  readonly steps?: number
  /** So long nothing is written any more at the end; half an hour unless said. */
  readonly quietMs?: number
  /** What is asked of the server and not kept: reviews, tokens. */
  readonly answer?: (object: KubeObject) => KubeObject
  /** What is served at paths besides those of objects. */
  readonly serve?: (method: string, path: string, body: unknown) => ServedText
  /** Told of each write before it is carried out. */
  readonly onWrite?: (write: SimulatedWrite) => void
}

/** Refused, said to be out of date, or carried out and the answer lost. */
export type Failure = 'refused' | 'behind' | 'lost'

export type SimulatedWrite = { readonly verb: string; readonly args: readonly any[] }

export type ServedText = { readonly status: number; readonly text: string }

type Request = {
  readonly verb: string
  readonly args: readonly unknown[]
  readonly run: () => unknown
  readonly end: (outcome: Promise<unknown>) => void
}
type Watch = { readonly selection: Selection; readonly onEvent: (event: WatchEvent) => void; at: number }

/** A kind as the simulated server serves it; in namespaces unless said. */
export function servedKind(apiVersion: string, kind: string, plural: string, namespaced = true): KubeResource {
  return {
    apiVersion,
    kind,
    plural,
    namespaced,
    verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
  }
}

/** `SLUICE_TRACE=1` tells what happens, step by step. */
const isTraced = process.env['SLUICE_TRACE'] !== undefined
function trace(...said: readonly unknown[]): void {
  if (isTraced) console.error(...said.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))))
}

/** Runs a case for each of its seeds, from 1 on; `SLUICE_SEED` says another first one, and `SLUICE_SEQUENCES` how many. */
export async function forSeeds(count: number, run: (seed: number) => Promise<void>): Promise<void> {
  const { SLUICE_SEED = 1, SLUICE_SEQUENCES = count } = process.env
  for (let seed = Number(SLUICE_SEED); seed < Number(SLUICE_SEED) + Number(SLUICE_SEQUENCES); seed++)
    try {
      await run(seed)
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error })
    }
}

const MOST_STEPS = 20_000
const WRITES = new Set(['create', 'replace', 'patch', 'remove', 'delete', 'PUT'])
/** So long a controller waits after a conflict. */
const AFTER_CONFLICT_MS = 20

export function simulateCluster(seed: number, kinds: readonly KubeResource[], startMs: number): SimulatedCluster {
  const chance = chanceOf(seed)
  const clock = turnedClock(startMs)
  const store = simulatedStore(
    clock.nowMs,
    kinds.some(({ kind }) => kind === 'Namespace'),
  )
  return {
    store,
    chance,
    clock,
    async run(controllers, options = {}) {
      const net = network(store, kinds, chance, options)
      const onFault = (error: unknown): void => void net.broken.push(error)
      const caches = shareCaches(net.client, { clock, onFault })
      const bench = createBench(
        net.client,
        clock,
        caches,
        () => undefined,
        () => undefined,
      )
      const onError = (_kind: string, _key: string, error: unknown): void => {
        if (!(error instanceof ApiError)) net.broken.push(error)
      }
      const starting = Promise.all(
        controllers(bench, caches).map((controller) =>
          startController(controller as Controller<any, unknown, any>, { clock, onError }),
        ),
      )
      let hasStarted = false
      starting.then(
        () => (hasStarted = true),
        () => undefined,
      )
      await untilQuiet(net, clock, chance, options, () => hasStarted)
      await cutOff(net, clock, Promise.all((await starting).map((running) => running.close())))
      caches.close()
      return net.written
    },
  }
}

function chanceOf(seed: number): Chance {
  const random = seededRandom(seed)
  return {
    pick: (items) => items[Math.floor(random() * items.length)] as never,
    is: (share) => random() < share,
    int: (most) => Math.floor(random() * (most + 1)),
  }
}

export type TurnedClock = Clock & { readonly dueMs: () => number; readonly turnTo: (ms: number) => void }

/** A clock that stands still until it is turned; it says when the next task is due. */
function turnedClock(startMs: number): TurnedClock {
  let nowMs = startMs
  const tasks = new Set<{ readonly dueMs: number; readonly task: () => void }>()
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    after(afterMs, task) {
      const entry = { dueMs: nowMs + afterMs, task }
      tasks.add(entry)
      return () => void tasks.delete(entry)
    },
    dueMs: () => Math.min(...[...tasks].map(({ dueMs }) => dueMs)),
    turnTo(ms) {
      nowMs = Math.max(nowMs, ms)
      for (const entry of [...tasks].filter(({ dueMs }) => dueMs <= nowMs)) if (tasks.delete(entry)) entry.task()
    },
  }
}

type Network = {
  readonly client: HttpKubeClient
  readonly written: string[]
  /** What ought not to have happened: the first of it ends the run. */
  readonly broken: unknown[]
  /** What could happen next. */
  readonly choices: () => readonly (() => void)[]
  /** Ends all requests without an answer; what was written may be carried out all the same. */
  readonly cut: () => void
}

function network(store: SimulatedStore, kinds: readonly KubeResource[], chance: Chance, options: RunOptions): Network {
  const { faults = 0, failures = ['refused', 'behind', 'lost'], onWrite = () => undefined } = options
  const requests = new Set<Request>()
  const watches = new Set<Watch>()
  const written: string[] = []
  const broken: unknown[] = []
  let left = faults
  const ask =
    <Args extends readonly unknown[], Answer>(verb: string, run: (...args: Args) => Answer) =>
    (...args: Args): Promise<Answer> =>
      new Promise((resolve) => {
        const carryOut = (): Answer => {
          if (WRITES.has(verb)) {
            written.push(`${verb} ${JSON.stringify(args)}`)
            try {
              onWrite({ verb, args })
            } catch (error) {
              broken.push(error)
            }
          }
          return run(...args)
        }
        requests.add({ verb, args, run: carryOut, end: (outcome) => resolve(outcome as Promise<Answer>) })
      })
  const answer = (request: Request): void => {
    requests.delete(request)
    if (request.verb !== 'list') trace('answer', request.verb, ...request.args)
    const isFailing = left > 0 && !['list', 'resources'].includes(request.verb) && chance.is(0.15)
    if (isFailing) left--
    if (isFailing) trace('which fails')
    request.end(isFailing ? failing(request, chance.pick(failures)) : attempt(request.run))
  }
  const deliver = (watch: Watch): void => {
    const next = nextOf(store, watch)
    if (next === undefined) return
    watch.at = next.version
    trace('event', watch.selection.kind, next.event.type, next.event.object)
    watch.onEvent({ ...next.event, object: shown(watch.selection, next.event.object) })
  }
  const client = clientOf(store, kinds, ask, watches, options)
  return {
    client,
    written,
    broken,
    choices: () => [
      ...[...requests].map((request) => () => answer(request)),
      ...[...watches].filter((watch) => nextOf(store, watch)).map((watch) => () => deliver(watch)),
    ],
    cut() {
      const canBeLost = failures.includes('lost')
      for (const request of requests) request.end(failing(request, canBeLost && chance.is(0.5) ? 'lost' : 'refused'))
      requests.clear()
    },
  }
}

function nextOf(store: SimulatedStore, watch: Watch) {
  for (; watch.at < store.log.length; watch.at++) {
    const logged = store.log[watch.at]
    if (logged && isSelected(watch.selection, logged.event.object)) return logged
  }
  return undefined
}

async function attempt(run: () => unknown): Promise<unknown> {
  return run()
}

async function failing({ verb, run }: Request, how: Failure): Promise<unknown> {
  const isWrite = WRITES.has(verb)
  if (how === 'behind' && isWrite && verb !== 'create')
    throw new ApiError(409, 'Conflict', 'the object has been modified')
  if (how === 'lost' && isWrite) run()
  throw new ApiError(500, 'InternalError', 'etcdserver: request timed out')
}

type Ask = <Args extends readonly unknown[], Answer>(
  verb: string,
  run: (...args: Args) => Answer,
) => (...args: Args) => Promise<Answer>

function clientOf(
  store: SimulatedStore,
  kinds: readonly KubeResource[],
  ask: Ask,
  watches: Set<Watch>,
  { answer = (object) => object, serve }: RunOptions,
): HttpKubeClient {
  const served = (apiVersion: string, kind: string): KubeResource | undefined =>
    kinds.find((one) => one.apiVersion === apiVersion && one.kind === kind)
  const orGone = <T>(run: () => T): T | undefined => {
    try {
      return run()
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined
      throw error
    }
  }
  const create = ask('create', store.create)
  const review = ask('review', answer)
  const client: Partial<HttpKubeClient> = {
    server: 'https://simulated',
    namespace: 'default',
    caPem: 'CA',
    resources: ask('resources', () => kinds),
    resource: ask('resource', served),
    get: ask('get', ({ apiVersion, kind, namespace, name }) => {
      const object = store.get(kind, namespace, name)
      return object?.apiVersion === apiVersion ? object : undefined
    }),
    list: ask('list', store.list),
    create: (object, options) => (isAsked(object) ? review(object) : create(object, options)),
    raw: async (method, path, body) => {
      if (serve !== undefined) return ask(method, serve)(method, path, body).catch(refusal)
      return { status: 201, text: JSON.stringify(await review({ ...(body as KubeObject), path })) }
    },
    replace: ask('replace', store.replace),
    patch: ask('patch', store.patch),
    remove: ask('remove', (ref, options) => orGone(() => store.remove(ref, options))),
    delete: ask('delete', (ref, options) => orGone(() => (store.remove(ref, options), true)) ?? false),
    watch: (selection, resourceVersion, onEvent, signal) =>
      new Promise((resolve) => {
        const watch = { selection, onEvent, at: Number(resourceVersion) }
        watches.add(watch)
        signal.addEventListener('abort', () => {
          watches.delete(watch)
          resolve()
        })
      }),
  }
  return client as KubeClient as HttpKubeClient
}

function refusal(error: unknown): ServedText {
  if (!(error instanceof ApiError)) throw error
  return { status: error.status, text: JSON.stringify({ message: error.message }) }
}

/** What a server answers and does not keep. */
const isAsked = ({ kind }: KubeObject): boolean => /Review$|^TokenRequest$/.test(kind)

async function untilQuiet(
  net: Network,
  clock: TurnedClock,
  chance: Chance,
  options: RunOptions,
  hasStarted: () => boolean,
): Promise<void> {
  const { others = [], later = [], world = () => [], round, roundMs = 60_000, quietMs = 1_800_000 } = options
  const [waiting, ending] = [[...others], [...later]]
  let changedMs = clock.nowMs()
  let writes = 0
  let left = options.steps ?? Infinity
  for (let step = 0; step < MOST_STEPS; step++) {
    // all that promises bring comes before
    await new Promise((resolve) => setImmediate(resolve))
    if (net.broken.length > 0) throw net.broken[0]
    if (hasStarted() && left-- <= 0) return
    if (net.written.length > writes) changedMs = clock.nowMs()
    writes = net.written.length
    const choices = [...net.choices(), ...world()]
    const isOthersTurn = waiting.length > 0 && (choices.length === 0 || chance.is(0.1))
    if (isOthersTurn) trace('others')
    if (isOthersTurn) waiting.shift()?.()
    else if (choices.length > 0 && round && chance.is(0.1)) round()
    else if (choices.length > 0) chance.pick(choices)()
    else if (ending.length > 0) ending.shift()?.()
    else {
      const isBusy = round?.() === true || net.choices().length > 0
      if (isBusy) changedMs = clock.nowMs()
      const nextMs = Math.min(clock.dueMs(), isBusy ? clock.nowMs() + roundMs : Infinity)
      if (nextMs > changedMs + quietMs) return
      clock.turnTo(nextMs)
    }
  }
  assert.fail(`still at work after ${MOST_STEPS} steps; the last writes:\n${net.written.slice(-8).join('\n')}`)
}

/** Ends a process: what it still asks for is not answered, and what it waits for comes. */
async function cutOff(net: Network, clock: TurnedClock, closing: Promise<unknown>): Promise<void> {
  let isDone = false
  const done = closing.finally(() => (isDone = true))
  for (;;) {
    net.cut()
    await new Promise((resolve) => setImmediate(resolve))
    if (isDone) return void (await done)
    clock.turnTo(Math.min(clock.dueMs(), clock.nowMs() + AFTER_CONFLICT_MS))
  }
}
