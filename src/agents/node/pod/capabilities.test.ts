import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Capabilities, capabilitiesOf, USUAL_CAPABILITIES } from './capabilities.ts'

const without = (name: string): string[] => USUAL_CAPABILITIES.filter((each) => each !== name)

const cases: { it: string; wanted: Capabilities | undefined; want: readonly string[] | undefined }[] = [
  { it: 'the usual ones', wanted: undefined, want: undefined },
  { it: 'the usual ones when it names none', wanted: { add: [], drop: [] }, want: undefined },
  { it: 'none', wanted: { drop: ['ALL'] }, want: [] },
  { it: 'what it adds to none', wanted: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] }, want: ['net_bind_service'] },
  { it: 'all but one', wanted: { drop: ['CAP_CHOWN'] }, want: without('chown') },
  { it: 'one more', wanted: { add: ['NET_RAW'] }, want: [...USUAL_CAPABILITIES, 'net_raw'] },
  { it: 'not what it adds and drops', wanted: { add: ['NET_RAW'], drop: ['NET_RAW'] }, want: USUAL_CAPABILITIES },
]
for (const { it, wanted, want } of cases)
  test(`a container has ${it}`, () => assert.deepEqual(capabilitiesOf(wanted), want))

test('what would lead out of a pod is refused by name', () => {
  for (const name of ['SYS_ADMIN', 'CAP_SYS_PTRACE'])
    assert.throws(() => capabilitiesOf({ add: [name] }), /capability SYS_\w+ is not supported by this node/)
})
