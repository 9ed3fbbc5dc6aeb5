import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'
import { findKubectls } from './kubectl-procedures.ts'

/** What a kubectl printed and how it ended. */
export type Answer = { readonly code: number; readonly stdout: string; readonly stderr: string }

/** Runs one command of kubectl; `input` is all that it reads. */
export async function runKubectl(
  path: string | undefined,
  kubeconfig: string,
  words: readonly string[],
  input = '',
): Promise<Answer> {
  const env = { ...process.env, KUBECONFIG: kubeconfig }
  const running = promisify(execFile)(path ?? 'kubectl', words, { env, timeout: 180_000 })
  running.child.stdin?.end(input)
  return running.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  )
}

/** One kubectl that speaks SPDY only, one of the time between, one that speaks WebSocket; else whichever is there. */
export function chosenKubectls(): readonly string[] {
  const all = findKubectls()
  const chosen = ['1.27', '1.30', '1.33'].flatMap((version) => all.find((path) => path.endsWith(`.${version}`)) ?? [])
  return chosen.length > 0 ? chosen : all.slice(0, 1)
}

/** Why kubectl cannot be tried on pods that run; `false` when it can. */
export function whyNoPods(): string | false {
  if (process.platform !== 'linux') return 'no Linux'
  if (chosenKubectls().length === 0) return 'no kubectl on the PATH'
  try {
    execFileSync('unshare', ['-Urmn', 'true'], { stdio: 'pipe' })
    return false
  } catch {
    return 'pods cannot run by namespaces here'
  }
}
