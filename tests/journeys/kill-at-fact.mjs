// Loaded beside the product (`node --import`): ends it by `kill -9` at the first fact that is asked for in the file named by SLUICE_KILL_AT.
// `{"kind", "field": value, …, "afterMs"}`: at once, before the fact is kept anywhere, or so long after it.
import { subscribe } from 'node:diagnostics_channel'
import { readFileSync, rmSync } from 'node:fs'

const asked = process.env.SLUICE_KILL_AT

subscribe('sluice.fact', (fact) => {
  const wanted = read()
  if (wanted === undefined) return
  const { afterMs, ...fields } = wanted
  // null asks for a field that is absent
  if (!Object.entries(fields).every(([name, value]) => (fact[name] ?? null) === value)) return
  rmSync(asked)
  const kill = () => process.kill(process.pid, 'SIGKILL')
  if (afterMs === 0) kill()
  else setTimeout(kill, afterMs)
})

function read() {
  try {
    return JSON.parse(readFileSync(asked, 'utf8'))
  } catch {
    return undefined
  }
}
