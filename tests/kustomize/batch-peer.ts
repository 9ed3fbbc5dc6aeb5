import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { theirs, writeFiles, type Answer } from './differential.ts'
import type { Tree } from './generate-tree.ts'

/** Kustomize's build command, asked again and again. */
export type Peer = { readonly build: (root: string, files: Tree) => Promise<Answer>; readonly close: () => void }

/**
 * Kustomize in one process (tests/kustomize/batch, made by scripts/peers.sh). A build with `openapi` leaves its schema behind, and so goes
 * to a process of its own, the released program, as does every thousandth.
 */
export function batchPeer(program: string, kustomize: string): Peer {
  const start = () => {
    const child = spawn(program, { stdio: ['pipe', 'pipe', 'ignore'] })
    child.stdin.on('error', () => {})
    return { child, answers: createInterface({ input: child.stdout })[Symbol.asyncIterator]() }
  }
  let running = start()
  /** The answer; undefined when the process ends before it: kustomize panics in places. */
  const ask = async (dir: string): Promise<Answer | undefined> => {
    const { child, answers } = running
    child.stdin.write(`${dir}\n`)
    const { value, done } = await answers.next()
    if (done) return undefined
    const { ok, text = '', error = '' } = JSON.parse(String(value)) as { ok: boolean; text?: string; error?: string }
    return ok ? { text } : { error: error.trim() }
  }
  let count = 0
  return {
    build: async (root, files) => {
      const hasSchema = [...files.values()].some((text) => typeof text === 'string' && text.includes('openapi'))
      if (hasSchema || ++count % 1000 === 0) return theirs(kustomize, root, files)
      writeFiles(root, files)
      const asked = running
      const answer = await ask(`${root}/top`)
      if (answer) return answer
      if (running === asked) running = start()
      return theirs(kustomize, root, files)
    },
    close: () => running.child.stdin.end(),
  }
}
