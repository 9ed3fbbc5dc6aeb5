import type { Screen } from './app/terminal/live.ts'
import { versionText } from './app/version-text.ts'

// The launcher's, for this process alone; not for the commands of workflows and pods.
for (const name of ['MALLOC_ARENA_MAX', 'MALLOC_MMAP_THRESHOLD_', 'MALLOC_TRIM_THRESHOLD_']) delete process.env[name]

const argv = process.argv.slice(2)
// What scripts ask most is answered before anything else is loaded.
if (argv.length === 1 && argv[0] === 'version') process.stdout.write(`sluice ${versionText()}\n`)
else await runCommand()

async function runCommand(): Promise<void> {
  const { runCli } = await import('./app/cli/run.ts')
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(130)
      stop.abort(signal)
    })
  }
  process.exitCode = await runCli(argv, {
    out: (text) => process.stdout.write(`${text}\n`),
    err: (text) => process.stderr.write(`${text}\n`),
    env: process.env,
    cwd: process.cwd(),
    isTty: process.stdout.isTTY === true,
    screen: screenOf(process.stdout),
    signal: stop.signal,
  })
}

function screenOf(stdout: NodeJS.WriteStream): Screen | undefined {
  if (!stdout.isTTY || process.env['TERM'] === 'dumb') return undefined
  return {
    write: (text) => stdout.write(text),
    size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
    onResize(resized) {
      stdout.on('resize', resized)
      return () => stdout.off('resize', resized)
    },
    showsErrors: process.stderr.isTTY,
    hasColour: !process.env['NO_COLOR'],
  }
}
