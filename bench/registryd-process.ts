import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

/** A registryd in a process of its own, as it would be measured from outside. */
export type RegistrydProcess = { readonly host: string; readonly pid: number; readonly stop: () => Promise<void> }

/** Bundles and starts registryd on a free port. */
export async function startRegistryd(root: string): Promise<RegistrydProcess> {
  mkdirSync(root, { recursive: true })
  const program = join(root, 'registryd.mjs')
  const contents = `import { serveRegistryd } from './src/embedded/registryd/serve.ts'
    console.log((await serveRegistryd({ root: process.argv[2], port: 0 })).host)`
  const stdin = { contents, resolveDir: process.cwd(), loader: 'ts' } as const
  await build({ stdin, bundle: true, platform: 'node', format: 'esm', outfile: program, logLevel: 'error' })
  const child = spawn(process.execPath, [program, join(root, 'data')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const host = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (text: Buffer) => resolve(text.toString().trim()))
    child.once('exit', () => reject(new Error('registryd ended')))
  })
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      child.once('exit', () => resolve())
      child.kill('SIGKILL')
    })
  return { host, pid: child.pid ?? 0, stop }
}
