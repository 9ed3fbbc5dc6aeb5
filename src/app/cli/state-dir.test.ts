import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stateDirOf } from './cluster.ts'

const rows: { it: string; flag?: string; variable?: string; want: string }[] = [
  { it: 'is .sluice here', want: '/here/.sluice' },
  { it: 'is that of the variable', variable: '/var/lib/sluice', want: '/var/lib/sluice' },
  {
    it: 'is that of the flag before that of the variable',
    flag: 'mine',
    variable: '/var/lib/sluice',
    want: '/here/mine',
  },
  { it: 'of a variable is looked for from here, too', variable: 'state', want: '/here/state' },
  { it: 'is not that of an empty variable, which is as good as none', variable: '', want: '/here/.sluice' },
]
for (const { it, flag, variable, want } of rows)
  test(`the state folder ${it}`, () => {
    const env = variable === undefined ? {} : { SLUICE_STATE: variable }
    const io = { out() {}, err() {}, env, cwd: '/here', isTty: false, signal: new AbortController().signal }
    assert.equal(stateDirOf({ state: flag }, io), want)
  })
