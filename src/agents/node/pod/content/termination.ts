import { chmodSync, closeSync, fstatSync, mkdirSync, openSync, readSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Bind, ContainerId, Driver, RunningContainer } from '../../driver.ts'
import type { Container } from '../shapes.ts'

const MOST_BYTES = 4096
/** Of the log, which stands in for a message that was not written. */
const MOST_LOG_BYTES = 2048
const MOST_LOG_LINES = 80

/** The file in which a container may say why it ends. It is made here. */
export function messageBind(driver: Driver, id: ContainerId, { terminationMessagePath }: Container): Bind[] {
  if (driver.isSimulated || terminationMessagePath === undefined || terminationMessagePath === '') return []
  const source = messageFile(driver, id)
  mkdirSync(dirname(source), { recursive: true })
  writeFileSync(source, '')
  chmodSync(source, 0o666)
  return [{ source, target: terminationMessagePath, readOnly: false }]
}

/** What a container that has ended says about it: its message, or the end of its log where it failed and the pod wants that. */
export function terminationMessage(driver: Driver, run: RunningContainer, container: Container): string {
  if (driver.isSimulated) return ''
  const message = tailOf(messageFile(driver, run), MOST_BYTES)
  const wantsLog = container.terminationMessagePolicy === 'FallbackToLogsOnError' && run.exit?.code !== 0
  return message !== '' || !wantsLog ? message : logTail(driver.logPath(run))
}

/** Where the message of a run is kept. */
export function messageFile(driver: Driver, { uid, container, attempt }: ContainerId): string {
  return join(driver.podFolder(uid), 'messages', `${container}.${attempt}`)
}

/** Lines of a log are `TIME STREAM F TEXT`, or `P` for what had no end of line. */
function logTail(path: string): string {
  const lines = tailOf(path, 16 * MOST_LOG_BYTES)
    .split('\n')
    .slice(-MOST_LOG_LINES - 1)
  const texts = lines.map((line) => {
    const [head = '', tag] = /^\S+ (?:stdout|stderr) ([FP]) /.exec(line) ?? []
    return `${line.slice(head.length)}${tag === 'F' ? '\n' : ''}`
  })
  return texts.join('').slice(-MOST_LOG_BYTES)
}

function tailOf(path: string, most: number): string {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return ''
  }
  try {
    const { size } = fstatSync(file)
    const buffer = Buffer.alloc(Math.min(size, most))
    const read = readSync(file, buffer, 0, buffer.length, Math.max(size - most, 0))
    return buffer.toString('utf8', 0, read)
  } finally {
    closeSync(file)
  }
}
