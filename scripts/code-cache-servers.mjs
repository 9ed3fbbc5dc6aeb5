// Writes V8's cache of the bundled servers: the functions that the start of kubed and its controllers compiles. scripts/build.mjs runs it as a
// process of its own: `node code-cache-servers.mjs SERVERS-MODULE CACHE`.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'

const [module, target] = process.argv.slice(2)
const root = mkdtempSync(join(tmpdir(), 'sluice-code-cache-'))
try {
  const { script, runAlone } = await import(pathToFileURL(module))
  const stop = new AbortController()
  const say = (text) => {
    // the servers have set them; V8 takes a cache only under the flags that it was made under
    setFlagsFromString('--no-flush-baseline-code')
    setFlagsFromString('--max-inlined-bytecode-size-cumulative=920')
    if (text.startsWith('{')) writeFileSync(target, script.createCachedData())
    else console.error(text)
    stop.abort()
  }
  const io = { out: say, err: say, env: {}, cwd: root, isTty: false, signal: stop.signal }
  process.exitCode = await runAlone(['serve', 'kubed', '--state', root, '--node', 'none'], io)
} finally {
  rmSync(root, { recursive: true })
}
