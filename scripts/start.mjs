// `npm start [-- FLAGS]`: all set-up, then `sluice up examples/vps FLAGS`.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { MALLOC_ENV } from './build.mjs'
import { checkNode, ensureBuild, ensureDependencies } from './setup.mjs'

checkNode()
ensureDependencies()
await ensureBuild()

const root = join(import.meta.dirname, '..')
const child = spawn(
  process.execPath,
  [join(root, 'dist', 'sluice.mjs'), 'up', join(root, 'examples', 'vps'), ...process.argv.slice(2)],
  {
    stdio: 'inherit',
    env: { ...process.env, ...MALLOC_ENV },
  },
)
// The terminal sends Ctrl-C to the child as well; only signals sent to this process alone need passing on.
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
process.on('SIGINT', () => {})
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)))
