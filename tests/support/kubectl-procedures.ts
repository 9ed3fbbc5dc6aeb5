import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, realpathSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const script = resolve(process.env.SLUICE_CONFORMANCE ?? '../shared/conformance', 'kubectl', 'run.sh')

/** Why the procedures cannot run here; `false` when they can. */
export function whyNot(): string | false {
  if (!existsSync(script)) return `no conformance data: ${script}`
  return findKubectls().length === 0 ? 'no kubectl on the PATH' : false
}

/** The kubectl of the PATH, then its versions `kubectl.1.NN` that lie beside it. */
export function findKubectls(): readonly string[] {
  const folders = (process.env.PATH ?? '').split(':')
  const found = folders.map((folder) => join(folder, 'kubectl')).find((file) => existsSync(file))
  if (found === undefined) return []
  const beside = dirname(realpathSync(found))
  const versions = readdirSync(beside).filter((name) => /^kubectl\.1\.\d+$/.test(name))
  return [found, ...versions.sort().map((name) => join(beside, name))]
}

/** Runs all commands against a new kubed of its own; answers the last line and what failed. */
export async function runProcedures(
  kubectl: string,
): Promise<{ readonly result: string; readonly failures: string; readonly seconds: number }> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-kubectl-'))
  const args = ['dist/sluice.mjs', 'serve', 'kubed', '--node', 'sim', '--state', join(dir, 'state'), '--port', '0']
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(server, 'exit')
  try {
    const ready = await Promise.race([once(createInterface(server.stdout), 'line'), ended])
    if (typeof ready[0] !== 'string') throw new Error('sluice serve kubed ended before it was ready')
    const { kubeconfig } = JSON.parse(ready[0]) as { kubeconfig: string }
    const startedAt = Date.now()
    const output = await outputOf(join(dir, 'out'), { ...process.env, KUBECONFIG: kubeconfig, KUBECTL: kubectl })
    const result = output.trim().split('\n').at(-1) ?? ''
    const failures = output.split('### ').filter((part) => part.includes('!!! FAILED'))
    return { result, failures: failures.join('\n'), seconds: (Date.now() - startedAt) / 1000 }
  } finally {
    server.kill('SIGTERM')
    await ended
    rmSync(dir, { recursive: true, force: true })
  }
}

async function outputOf(folder: string, env: NodeJS.ProcessEnv): Promise<string> {
  const run = spawn('bash', [script, folder], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  run.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  await once(run, 'close')
  return text
}
