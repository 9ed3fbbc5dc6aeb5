import type { ChildProcess } from 'node:child_process'
import { spawnGit } from './git.ts'

const PUSHES_BETWEEN = 100

/** Packs what many small pushes left behind: `git gc --auto` after every hundredth push of a repository, one at a time. */
export function tidier(): { readonly pushed: (path: string) => void; readonly close: () => void } {
  const pushes = new Map<string, number>()
  let running: ChildProcess | undefined
  return {
    pushed(path) {
      const count = (pushes.get(path) ?? 0) + 1
      pushes.set(path, count % PUSHES_BETWEEN)
      if (count < PUSHES_BETWEEN || running !== undefined) return
      const child = spawnGit(['--git-dir', path, 'gc', '--auto', '--quiet'])
      running = child
      child.stdout.resume()
      child.stderr.resume()
      child.once('error', () => (running = undefined)).once('close', () => (running = undefined))
    },
    close: () => void running?.kill(),
  }
}
