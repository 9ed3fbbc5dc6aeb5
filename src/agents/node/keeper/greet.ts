import type { Target } from './messages.ts'

/**
 * Opens a TCP connection, sends `request` and answers the first line that comes back; with an empty request, '' as soon as it is open.
 * What a probe needs, and no more: it is asked once a second for every pod. Runs inside the keeper: uses nothing of this module's surroundings.
 *
 * @throws Error with the reason when nobody listens, the peer hangs up first, or `timeoutMs` is over
 */
export function greet(target: Target, request: string, timeoutMs: number): Promise<string> {
  const net = process.getBuiltinModule('node:net')
  return new Promise((resolve, reject) => {
    const socket = net.connect({ ...target, noDelay: true })
    let text = ''
    const end = (error: Error | undefined, line: string): void => {
      clearTimeout(timer)
      socket.destroy()
      if (error === undefined) resolve(line)
      else reject(error)
    }
    const timer = setTimeout(
      () => end(new Error('context deadline exceeded (Client.Timeout exceeded while awaiting headers)'), ''),
      timeoutMs,
    )
    socket.setEncoding('latin1')
    socket.on('connect', () => (request === '' ? end(undefined, '') : socket.write(request, 'latin1')))
    socket.on('data', (chunk) => {
      text += String(chunk)
      const stop = text.indexOf('\n')
      if (stop >= 0) end(undefined, text.slice(0, stop).trimEnd())
      else if (text.length > 4096) end(new Error('the answer has no first line'), '')
    })
    socket.on('end', () => end(new Error('connection closed'), ''))
    socket.on('error', (error) => end(error, ''))
  })
}
