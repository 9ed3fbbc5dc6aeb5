import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCommand } from './run-command.ts'

test('a part of the program that was replaced while it ran is named, with what to do', async () => {
  const said: string[] = []
  const io = { out: assert.fail, err: (text: string) => said.push(text), env: {}, cwd: '/', isTty: false }
  const absent = './absent.mjs'
  const load = () => import(absent).then(() => assert.fail())
  const code = await runCommand(load, [], { ...io, screen: undefined, signal: new AbortController().signal })
  assert.equal(code, 3)
  assert.match(said.join('\n'), /^error: Cannot find .*absent\.mjs.*\n {2}hint: .*restart it/s)
})
