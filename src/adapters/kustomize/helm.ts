import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Helm, HelmScratch } from '../../lib/kustomize/generate/helm.ts'
import { findProgram, runProgram } from './program.ts'

const MOST_MS = 300_000

/** What `--helm-…` flags say. */
export type HelmOptions = Pick<Helm, 'command' | 'kubeVersion' | 'apiVersions' | 'debug'>

/** Runs the machine's helm, with a folder of its own for each chart. */
export function diskHelm(options: HelmOptions): Helm {
  return {
    ...options,
    withScratch: (use) => {
      const dir = mkdtempSync(join(tmpdir(), 'kustomize-helm-'))
      try {
        return use(scratchAt(dir, options.command))
      } finally {
        rmSync(dir, { recursive: true, force: true })
      }
    },
  }
}

function scratchAt(dir: string, command: string): HelmScratch {
  return {
    dir,
    write: (name, bytes) => {
      const path = join(dir, name)
      writeFileSync(path, bytes, { mode: 0o600 })
      return path
    },
    isFolder: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true,
    run: (args, env) => {
      const program = findProgram(command)
      if (program === undefined)
        return { failure: `exec: "${command}": executable file not found in $PATH`, stdout: '', errors: '' }
      const { status, stdout, errors } = runProgram(program, args, { timeoutMs: MOST_MS, env })
      return { failure: status === 0 ? undefined : `exit status ${status}`, stdout: stdout.toString(), errors }
    },
  }
}
