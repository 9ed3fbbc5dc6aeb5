#!/usr/bin/env node
// kubed where a program wants the real control plane: `kubed-plane.mjs up --dir D --port P` serves until it is told to end, and prints where its
// kubeconfig is. As there, nobody runs pods, and no ServiceAccount is added to them.
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'

const options = { dir: { type: 'string' }, port: { type: 'string' } }
const { dir, port } = parseArgs({ options, allowPositionals: true }).values
mkdirSync(dir, { recursive: true })
const words = ['serve', 'kubed', '--state', join(dir, 'state'), '--port', port, '--node', 'none']
const kubed = spawn(
  process.execPath,
  [resolve('dist/sluice.mjs'), ...words, '--disable-admission-plugins', 'ServiceAccount'],
  { stdio: ['ignore', 'pipe', 'inherit'] },
)
createInterface(kubed.stdout).once('line', (line) => {
  process.stdout.write(`${JSON.stringify({ kubeconfig: JSON.parse(line).kubeconfig })}\n`)
  kubed.stdout.resume()
})
kubed.on('exit', (code) => process.exit(code ?? 1))
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => kubed.kill('SIGTERM'))
