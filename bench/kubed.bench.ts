import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serveKubed } from '../src/embedded/kubed/serve.ts'

/** The load of tools/bench-kube on kubed; the driver runs in a process of its own. Prints a JSON line a number. */
const driver = join(process.env.SLUICE_TOOLS ?? '../shared/tools', 'bench-kube/bench.mjs')

async function main(): Promise<void> {
  if (!existsSync(driver)) throw new Error(`no load driver at ${driver}`)
  const dir = mkdtempSync(join(tmpdir(), 'kubed-bench-'))
  const started = performance.now()
  const kubed = await serveKubed({ stateDir: dir, port: 0 })
  print('kubed start', performance.now() - started, 'ms')
  const args = [driver, '--server', kubed.server, '--token', kubed.token, '--objects', process.env.OBJECTS ?? '2000']
  const child = spawn(process.execPath, [...args, '--pids', String(process.pid)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
  await new Promise((done) => child.on('close', done))
  for (const line of text.split('\n').filter((each) => each.startsWith('{'))) {
    const row = JSON.parse(line) as { name: string; perSecond: number; serverCpuMsPerOp: number; rssMiB: number }
    print(`kubed ${row.name}`, row.perSecond, '1/s')
    print(`kubed ${row.name} CPU`, row.serverCpuMsPerOp, 'ms')
    print(`kubed ${row.name} memory`, row.rssMiB, 'MiB')
  }
  await kubed.close()
  rmSync(dir, { recursive: true, force: true })
}

function print(name: string, value: number, unit: string): void {
  console.log(JSON.stringify({ name, value: Math.round(value * 1000) / 1000, unit }))
}

void main()
