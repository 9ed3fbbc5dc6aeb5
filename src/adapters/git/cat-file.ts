import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { gitEnvironment } from './git-process.ts'

/** An object of a repository. */
export type GitObject = { readonly type: 'commit' | 'tree' | 'blob' | 'tag'; readonly bytes: Buffer }

/** Reads objects of one bare repository by hash, all through one process that ends by itself when it is not needed. */
export type ObjectReader = {
  /** `undefined` when the repository does not have the object. @throws SluiceError GIT_FAILED for one larger than the reader's limit */
  readonly read: (hash: string) => Promise<GitObject | undefined>
  readonly close: () => void
}

type Waiting = {
  readonly resolve: (object: GitObject | undefined) => void
  readonly reject: (error: Error) => void
}

const IDLE_MS = 5_000
/** What is read is held in memory, and code hosts take files of 100 MB at most. */
const LARGEST_OBJECT_BYTES = 256 << 20
const HASH = /^[0-9a-f]{40}([0-9a-f]{24})?$/

/** Opens a reader on a bare repository; many reads may be under way, they are answered in order. */
export function openObjectReader(folder: string, largestBytes = LARGEST_OBJECT_BYTES): ObjectReader {
  let child: ChildProcessWithoutNullStreams | undefined
  let waiting: Waiting[] = []
  let idle: NodeJS.Timeout | undefined
  const stop = (): void => {
    child?.stdin.end()
    child = undefined
  }
  const start = (): ChildProcessWithoutNullStreams => {
    const started = spawn('git', ['-C', folder, 'cat-file', '--batch'], { env: gitEnvironment() })
    const mine: Waiting[] = []
    waiting = mine
    const feed = parseBatch(largestBytes, (object) => {
      const next = mine.shift()
      if (object instanceof SluiceError) next?.reject(object)
      else next?.resolve(object)
    })
    started.stdout.on('data', feed)
    started.stdin.on('error', () => undefined)
    const fail = (): void => {
      for (const { reject } of mine.splice(0)) reject(new Error(`git cat-file ended in ${folder}`))
      if (child === started) child = undefined
    }
    started.on('error', fail)
    started.on('close', fail)
    return started
  }
  return {
    read(hash) {
      if (!HASH.test(hash)) return Promise.resolve(undefined)
      child ??= start()
      clearTimeout(idle)
      idle = setTimeout(() => (waiting.length === 0 ? stop() : idle?.refresh()), IDLE_MS)
      idle.unref()
      const { stdin } = child
      // Who asks for a thousand objects at once asks in one write.
      if (stdin.writableCorked === 0) {
        stdin.cork()
        process.nextTick(() => stdin.uncork())
      }
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        stdin.write(`${hash}\n`)
      })
    },
    close() {
      clearTimeout(idle)
      stop()
    },
  }
}

/**
 * Cuts the stream of `cat-file --batch` into objects: `<hash> <type> <size>`, newline, bytes, newline; or `<hash> missing`. The bytes of
 * one that is too large are let go as they come.
 */
function parseBatch(
  largestBytes: number,
  onObject: (object: GitObject | SluiceError | undefined) => void,
): (chunk: Buffer) => void {
  let chunks: Buffer[] = []
  let size = 0
  let needed = 0
  let skipped = 0
  return (chunk) => {
    const left = chunk.subarray(Math.min(skipped, chunk.length))
    skipped -= chunk.length - left.length
    chunks.push(left)
    size += left.length
    if (size < needed) return
    let rest = chunks.length === 1 ? left : Buffer.concat(chunks)
    for (;;) {
      const end = rest.indexOf(10)
      if (end < 0) break
      const [hash = '', type, length] = rest.toString('latin1', 0, end).split(' ')
      if (type === 'missing') {
        onObject(undefined)
        rest = rest.subarray(end + 1)
        continue
      }
      needed = end + 1 + Number(length) + 1
      if (Number(length) > largestBytes) {
        onObject(tooLarge(hash, Number(length), largestBytes))
        skipped = Math.max(0, needed - rest.length)
        rest = rest.subarray(Math.min(needed, rest.length))
        needed = 0
        continue
      }
      if (rest.length < needed) break
      onObject({ type: parseType(type), bytes: Buffer.from(rest.subarray(end + 1, needed - 1)) })
      rest = rest.subarray(needed)
      needed = 0
    }
    chunks = rest.length > 0 ? [rest] : []
    size = rest.length
  }
}

function tooLarge(hash: string, sizeBytes: number, largestBytes: number): SluiceError {
  return new SluiceError(
    'GIT_FAILED',
    `the object ${hash} of the repository has ${sizeBytes} bytes, more than the ${largestBytes} that are read`,
    { hint: `see which file it is: git rev-list --objects --all | grep ${hash}; then leave it out of the repository` },
  )
}

function parseType(text: string | undefined): GitObject['type'] {
  return text === 'commit' || text === 'tree' || text === 'tag' ? text : 'blob'
}
