import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { parseRequestTarget } from '../../lib/net/request-target.ts'
import { closeServer } from '../../machine/close-server.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { listenFault } from '../../machine/listen-fault.ts'
import { limitTo, type Slots } from '../../lib/concurrency/slots.ts'
import { isForLoopback, isLoopback } from '../../lib/net/loopback.ts'
import { authorize, type NamedToken } from './authorize.ts'
import { selectEvents, type RefCommand } from './commands.ts'
import { createRepository, repositoryPath, type RepositoryOrigin } from './create.ts'
import { openJournal, type Journal } from './journal.ts'
import { countPulls, parsePullRef, type PullNumbers, whyNotCreate } from './pulls.ts'
import { currentRefs, hasMoved, receivePush } from './receive.ts'
import { parseGitRoute, type GitRoute } from './route.ts'
import { removeStaleRefLocks } from './stale-locks.ts'
import { tidier } from './tidy.ts'
import { type Patience, watchPeer } from './patience.ts'
import { advertiser, openBody, uploadPack } from './upload.ts'

/** A ref that a push changed; `after` is all zeros when it was deleted. `refs/for/<branch>` with `pull` is a pull request. */
export type PushEvent = {
  readonly repository: string
  readonly ref: string
  readonly before: string
  readonly after: string
  /** The name of the token, or what the holder of the server's own token called himself. */
  readonly user: string
  /** The number of the pull request; its commits stay under `refs/for/<branch>/<number>`. */
  readonly pull?: number
}

/** How to serve. Reads are open on loopback and by its names; anywhere else they need the token as pushes do. */
export type GitdOptions = {
  readonly root: string
  readonly host?: string
  readonly port: number
  readonly token: string
  /** Tokens that are as good for Git as `token`; asked anew by each request, so that a revoked one is refused at once. */
  readonly named?: () => readonly NamedToken[]
  /**
   * Runs before the push is acknowledged, which waits for what it answers; once more after a crash for whatever it may have missed. Must
   * not throw, and has the event in safe hands when it returns.
   */
  readonly onPush?: (event: PushEvent) => void | Promise<void>
  /** Largest pack of one push, 4 GiB when absent. */
  readonly maxPackBytes?: number
  /** What tests shorten. */
  readonly patience?: Patience
}

/** A running Git server. */
export type Gitd = {
  readonly url: string
  readonly port: number
  /** The clone URL of a repository. */
  readonly urlOf: (repository: string) => string
  readonly createRepository: (name: string, origin?: RepositoryOrigin) => Promise<{ readonly created: boolean }>
  readonly close: () => Promise<void>
}

type Context = {
  readonly options: GitdOptions
  readonly journal: Journal
  readonly pulls: PullNumbers
  readonly advertise: ReturnType<typeof advertiser>
  readonly places: Places
  readonly tidy: ReturnType<typeof tidier>
}

const MAX_REQUEST_BYTES = 64 << 20
const MAX_PACK_BYTES = 4 * 1024 ** 3
const MAX_PROCESSES = 32
/** More are told to come again: each holds a connection. */
const MAX_WAITING = 512

/**
 * Serves every bare repository under `root` by git's smart HTTP protocol, versions 0 to 2.
 *
 * A push is acknowledged after its objects and refs are on disk and `onPush` was called; git itself does both.
 * @throws SluiceError PORT_IN_USE, PORT_REFUSED, STATE_UNWRITABLE
 */
export async function serveGitd(options: GitdOptions): Promise<Gitd> {
  const context: Context = {
    options,
    journal: prepare(options.root),
    pulls: countPulls(),
    advertise: advertiser(),
    places: openPlaces(),
    tidy: tidier(),
  }
  const host = options.host ?? '127.0.0.1'
  const server = createServer((request, response) => {
    answer(context, request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500)
      response.end(`${error instanceof Error ? error.message : 'failed'}\n`)
    })
  })
  server.headersTimeout = 20_000
  server.requestTimeout = 0 // a large push over a slow line may take long; a silent peer is ended by `watchPeer`
  server.setTimeout(600_000)
  const port = await listen(server, options.port, host)
  await announceLeftovers(context)
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  return {
    url,
    port,
    urlOf: (repository) => `${url}/${repository}.git`,
    createRepository: (name, origin) => createRepository(options.root, name, origin),
    async close() {
      const closed = closeServer(server)
      context.tidy.close()
      await closed
      await context.places.whenFree() // a push that has moved refs is told to who still listens
    },
  }
}

function prepare(root: string): Journal {
  try {
    mkdirSync(root, { recursive: true })
    return openJournal(join(root, '.sluice', 'pushes'))
  } catch (cause) {
    throw new SluiceError('STATE_UNWRITABLE', `the folder "${root}" of the Git server cannot be made`, { cause })
  }
}

async function answer(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = parseRequestTarget(request.url)
  const route = url && parseGitRoute(request.method ?? '', url.pathname, url.searchParams)
  const caller = authorize(request.headers.authorization, context.options.token, context.options.named)
  const isOpen = isLoopback(context.options.host ?? '127.0.0.1') && isForLoopback(request.headers.host)
  if (route?.service === 'git-receive-pack' || !isOpen)
    if (!caller.trusted) return refuse(response, 401, 'the password must be a token of this server\n')
  if (route === undefined) return refuse(response, 404, 'no such repository\n')
  const path = repositoryPath(context.options.root, route.repository)
  if (!existsSync(join(path, 'HEAD'))) return refuse(response, 404, 'no such repository\n')
  const { places } = context
  // of a request behind another one of its connection nothing is heard when the peer leaves, so that it takes no place before its turn
  if (response.socket === null) await once(response, 'socket')
  if (places.waiting() >= MAX_WAITING) return refuse(response, 503, 'the Git server is busy, try again\n')
  await places.take(async () => {
    if (response.destroyed) return // who left while waiting is told nothing, and no git is started
    const end = watchPeer(request, response, () => places.waiting() > 0, context.options.patience)
    try {
      await serveRoute(context, { route, path, user: caller.user }, request, response)
    } finally {
      end()
    }
  })
}

/** The places for processes, how many wait for one, and when all are free again. */
type Places = { readonly take: Slots; readonly waiting: () => number; readonly whenFree: () => Promise<void> }

function openPlaces(): Places {
  const slots = limitTo(MAX_PROCESSES)
  const taken = new Set<Promise<unknown>>()
  let waiting = 0
  return {
    take(task) {
      waiting++
      const work = slots(() => {
        waiting--
        return task()
      })
      taken.add(work)
      return work.finally(() => taken.delete(work))
    },
    waiting: () => waiting,
    async whenFree() {
      await Promise.allSettled(taken)
    },
  }
}

async function serveRoute(
  context: Context,
  target: { readonly route: GitRoute; readonly path: string; readonly user: string },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { route, path, user } = target
  const env = protocolOf(request)
  if (route.step === 'advertise') return context.advertise(route, path, response, env)
  if (request.headers['content-type'] !== `application/x-${route.service}-request`)
    return refuse(response, 415, `want application/x-${route.service}-request\n`)
  if (route.service === 'git-upload-pack') return uploadPack(openBody(request, MAX_REQUEST_BYTES), response, path, env)
  await context.pulls.load(path)
  const maxPackBytes = context.options.maxPackBytes ?? MAX_PACK_BYTES
  return receivePush(openBody(request, maxPackBytes + MAX_REQUEST_BYTES), response, {
    path,
    env,
    maxPackBytes,
    whyNot: whyNotCreate,
    rename: (ref) => context.pulls.next(path, ref),
    begin: (commands) => {
      if (commands.length === 0) return () => undefined
      const told = new Set(selectEvents(commands))
      const end = context.journal.begin({ repository: route.repository, user, commands: [...told] })
      return async (moved) => {
        const events = moved.filter((command) => told.has(command))
        const heard = events.map((command) => context.options.onPush?.(eventOf(route.repository, user, command)))
        end() // not reached when the listener failed: then the push is told again at the next start
        context.tidy.pushed(path)
        await Promise.all(heard)
      }
    },
  })
}

function refuse(response: ServerResponse, status: number, text: string): void {
  const challenge = status === 401 ? { 'www-authenticate': 'Basic realm="sluice"' } : {}
  response.writeHead(status, { 'content-type': 'text/plain', connection: 'close', ...challenge }).end(text)
}

function protocolOf(request: IncomingMessage): Record<string, string> {
  const header = request.headers['git-protocol']
  return typeof header === 'string' && /^[A-Za-z0-9=:.-]{1,100}$/.test(header) ? { GIT_PROTOCOL: header } : {}
}

function eventOf(repository: string, user: string, { ref, before, after }: RefCommand): PushEvent {
  const pull = parsePullRef(ref)
  const event = { repository, ref, before, after, user }
  if (pull?.number === undefined) return event
  return { ...event, ref: `refs/for/${pull.branch}`, pull: pull.number }
}

/** Tells of the refs that moved in a process that died before it could tell; where a push was under way, git may have left locks. */
async function announceLeftovers({ journal, options }: Context): Promise<void> {
  for (const { pending, done } of journal.leftovers()) {
    const path = repositoryPath(options.root, pending.repository)
    if (existsSync(path)) removeStaleRefLocks(path)
    const refs = existsSync(path) ? await currentRefs(path).catch(() => undefined) : new Map<string, string>()
    if (refs === undefined) continue // what a git that failed did not say is asked again by the next start
    for (const command of pending.commands.filter((one) => hasMoved(one, refs)))
      void options.onPush?.(eventOf(pending.repository, pending.user, command))
    done()
  }
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenFault(`${host}:${port}`, error)))
    server.listen(port, host, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}
