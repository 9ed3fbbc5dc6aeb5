import { ioOfProcess } from './app/cli/process-io.ts'
import { versionText } from './app/version-text.ts'

const argv = process.argv.slice(2)
// What scripts ask most is answered before anything else is loaded.
if (argv.length === 1 && argv[0] === 'version') process.stdout.write(`sluice ${versionText()}\n`)
else process.exitCode = await runWholeLine()

async function runWholeLine(): Promise<number> {
  const io = ioOfProcess()
  // The one command for which loading the others would double its time.
  if (argv[0] === 'build') return (await import('./app/cli/build/build-alone.ts')).runBuild(argv.slice(1), io)
  return (await import('./app/cli/run.ts')).runCli(argv, io)
}
