import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseArgs } from 'node:util'
import { DEFAULT_FLAGS } from '../../../adapters/engine/flags.ts'
import { FLUX_OPTIONS, listenFlagFault, parseFluxFlags } from './engine-flags.ts'

const flagsOf = (...args: string[]) => parseFluxFlags(parseArgs({ args, options: FLUX_OPTIONS }).values)

const taken: [argv: string[], want: object][] = [
  [[], {}],
  [['--default-service-account', 'flux'], { defaultServiceAccount: 'flux' }],
  [['--sops-age-secret=sops-age'], { sopsAgeSecret: 'sops-age' }],
  [['--override-manager=helm', '--override-manager', 'rancher'], { overrideManagers: ['helm', 'rancher'] }],
  [['--requeue-dependency=1m30s'], { requeueDependencyMs: 90_000 }],
  [['--watch-label-selector=sharding.fluxcd.io/key in (a,b)'], { watchSelector: 'sharding.fluxcd.io/key in (a,b)' }],
  [['--watch-all-namespaces=false'], { watchAllNamespaces: false }],
  [['--no-remote-bases'], { remoteBases: false }],
  [['--feature-gates=ExternalArtifact=true'], { externalArtifact: true }],
  [['--storage-adv-addr=sluice.flux-system.svc.'], { storageAdvAddr: 'sluice.flux-system.svc.' }],
]
for (const [argv, want] of taken)
  test(`the engine takes ${argv.join(' ') || 'no flag'}`, () =>
    assert.deepEqual(flagsOf(...argv), { ...DEFAULT_FLAGS, ...want }))

const refused: [argv: string, why: RegExp][] = [
  ['--requeue-dependency=soon', /is a duration/],
  ['--requeue-dependency=0s', /is a duration/],
  ['--watch-label-selector=a=(', /^--watch-label-selector: /],
  ['--watch-all-namespaces=maybe', /is true or false/],
  ['--override-manager=', /wants the name/],
  ['--storage-adv-addr=http://sluice/', /is HOST or HOST:PORT/],
  ['--storage-adv-addr=a:b', /is HOST or HOST:PORT/],
  ['--feature-gates=ExternalArtifact', /wants Name=true/],
  ['--feature-gates=MagicDNS=true', /"MagicDNS" is no gate/],
]
for (const [argv, why] of refused) test(`the engine refuses ${argv}`, () => assert.match(String(flagsOf(argv)), why))

const nowhere = { 'artifact-listen': '', 'receiver-listen': '', 'events-listen': '', 'metrics-listen': '' }
const listens: [name: keyof typeof nowhere, address: string, isTaken: boolean][] = [
  ...['127.0.0.1:0', ':9090', '[::1]:65535', 'localhost:80', ''].map(
    (text) => ['artifact-listen', text, true] as const,
  ),
  ...['127.0.0.1:65536', '127.0.0.1:99999', 'h:abc', 'h:', '9090', 'h:-1', 'h:1e3'].map(
    (text) => ['metrics-listen', text, false] as const,
  ),
].map((row) => [...row])
for (const [name, address, isTaken] of listens)
  test(`the engine ${isTaken ? 'takes' : 'refuses'} --${name} "${address}"`, () => {
    const fault = listenFlagFault({ ...nowhere, [name]: address })
    if (isTaken) assert.equal(fault, undefined)
    else assert.match(fault ?? '', new RegExp(`^--${name} is HOST:PORT, .*"${address}"$`))
  })
