import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** A kubed in a process of its own. */
export type KubedChild = {
  readonly child: ChildProcess
  readonly kubeconfig: string
  readonly server: string
  readonly token: string
}

/** Starts the API server alone in another process, which can be killed. */
export async function startKubedChild(stateDir: string): Promise<KubedChild> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'tests/kubed/server.ts', stateDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout }))
    return { child, ...(JSON.parse(line) as Omit<KubedChild, 'child'>) }
  throw new Error('kubed ended before it was ready')
}

/** Ends it, by `kill -9` unless told otherwise, and waits until it is gone. */
export function endKubedChild({ child }: KubedChild, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  return new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) return done()
    child.once('exit', () => done())
    child.kill(signal)
  })
}
