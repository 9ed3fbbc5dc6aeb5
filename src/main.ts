import { ioOfProcess } from './app/cli/process-io.ts'
import { versionText } from './app/version-text.ts'

const argv = process.argv.slice(2)
// What scripts ask most is answered before anything else is loaded.
if (argv.length === 1 && argv[0] === 'version') process.stdout.write(`sluice ${versionText()}\n`)
else process.exitCode = await runWholeLine()

async function runWholeLine(): Promise<number> {
  const io = ioOfProcess()
  // A build takes less time than loading the other commands; servers start from compiled code.
  if (argv[0] === 'build') return (await import('./app/cli/build/build-alone.ts')).runAlone(argv, io)
  if (argv[0] === 'up' || (argv[0] === 'serve' && argv[1] === 'kubed'))
    return (await import('./app/cli/servers/servers-alone.ts')).runAlone(argv, io)
  return (await import('./app/cli/run.ts')).runCli(argv, io)
}
