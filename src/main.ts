import type { Io } from './app/cli/command.ts'
import type { Screen } from './app/terminal/live.ts'
import { versionText } from './app/version-text.ts'

// The launcher's, for this process alone; not for the commands of workflows and pods.
for (const name of ['MALLOC_ARENA_MAX', 'MALLOC_MMAP_THRESHOLD_', 'MALLOC_TRIM_THRESHOLD_']) delete process.env[name]

// Hidden by the launcher from this process alone, too; its children may need them.
const { SLUICE_EXTRA_CA_CERTS: extraCerts } = process.env
if (extraCerts !== undefined) process.env['NODE_EXTRA_CA_CERTS'] = extraCerts
delete process.env['SLUICE_EXTRA_CA_CERTS']

const argv = process.argv.slice(2)
// What scripts ask most is answered before anything else is loaded.
if (argv.length === 1 && argv[0] === 'version') process.stdout.write(`sluice ${versionText()}\n`)
else process.exitCode = await runWholeLine()

async function runWholeLine(): Promise<number> {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(130)
      stop.abort(signal)
    })
  }
  const io: Io = {
    out: (text) => process.stdout.write(`${text}\n`),
    err: (text) => process.stderr.write(`${text}\n`),
    env: process.env,
    cwd: process.cwd(),
    isTty: process.stdout.isTTY === true,
    screen: screenOf(process.stdout),
    signal: stop.signal,
  }
  // The one command for which loading the others would double its time.
  if (argv[0] === 'build') return (await import('./app/cli/build-alone.ts')).runBuild(argv.slice(1), io)
  return (await import('./app/cli/run.ts')).runCli(argv, io)
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
