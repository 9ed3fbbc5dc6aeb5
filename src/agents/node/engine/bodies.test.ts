import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerStart } from '../driver.ts'
import { capabilitiesOf } from '../pod/capabilities.ts'
import { containerBody, type Place, sandboxBody } from './bodies.ts'

const place: Place = { node: 'n', network: 'net', gateway: '10.0.0.1', emptyImage: 'empty', ulimits: [] }
const start: ContainerStart = {
  ...{ uid: 'u', container: 'web', attempt: 0, pod: { uid: 'u', namespace: 'shop', name: 'web' } },
  image: { name: 'i', id: 'i@sha256:1', digest: 'sha256:1', config: {}, layers: [], sizeBytes: 0 },
  ...{ command: ['web'], env: [], workingDir: '', user: '', groups: [], hasImageGroups: true, readOnlyRoot: false },
  ...{
    binds: [],
    hasEnd: false,
    ports: [],
    stdin: 'none',
    tty: false,
    limits: {},
    podLimits: {},
    sharesProcesses: false,
  },
}
const joins = { uid: 'u', container: 'app', attempt: 2 }
const cases: { it: string; over: Partial<ContainerStart>; want: string | undefined }[] = [
  { it: 'its own', over: {}, want: undefined },
  { it: 'those of another', over: { joins }, want: 'container:sluice-n-u-app-2' },
  { it: 'all of its pod', over: { sharesProcesses: true }, want: 'container:sluice-n-u' },
  {
    it: 'all of its pod, of which the other is one',
    over: { sharesProcesses: true, joins },
    want: 'container:sluice-n-u',
  },
]
for (const { it, over, want } of cases)
  test(`a container sees the processes that it is to see: ${it}`, () => {
    const body = containerBody(place, { ...start, ...over }, 'image')
    assert.equal((body as { HostConfig: { PidMode?: string } }).HostConfig.PidMode, want)
  })

test('the first of the processes that containers share has a power that none of them can have', () => {
  const body = sandboxBody(place, start.pod, { sysctls: [], sharesProcesses: true })
  const isRefused = (name: string): boolean => {
    try {
      return capabilitiesOf({ add: [name] }) === undefined
    } catch {
      return true
    }
  }
  const { CapAdd } = (body as { HostConfig: { CapAdd: string[] } }).HostConfig
  assert.deepEqual(CapAdd.filter(isRefused), ['WAKE_ALARM'])
  assert.ok(!capabilitiesOf({ add: ['ALL'] })?.includes('wake_alarm'))
})
