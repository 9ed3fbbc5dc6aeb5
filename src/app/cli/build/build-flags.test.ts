import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseBuildFlags } from './build-flags.ts'
import { filesOf } from './build-output.ts'

/** The texts are those of kustomize 5.8.1. */
const faults: { argv: string[]; problem: string }[] = [
  { argv: ['--foo'], problem: 'unknown flag: --foo' },
  { argv: ['--as-current', 'x'], problem: 'unknown flag: --as-current' },
  { argv: ['--constructor'], problem: 'unknown flag: --constructor' },
  { argv: ['-x'], problem: "unknown shorthand flag: 'x' in -x" },
  { argv: ['-o'], problem: "flag needs an argument: 'o' in -o" },
  { argv: ['--output'], problem: 'flag needs an argument: --output' },
  { argv: ['---x'], problem: 'bad flag syntax: ---x' },
  { argv: ['a', 'b'], problem: 'specify one path to kustomization.yaml' },
  {
    argv: ['--enable-helm=maybe'],
    problem: 'invalid argument "maybe" for "--enable-helm" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
  },
  { argv: ['--reorder', 'x'], problem: 'illegal flag value --reorder x; legal values: [legacy none]' },
  {
    argv: ['--load-restrictor=none', 'a'],
    problem: 'illegal flag value --load-restrictor none; legal values: [LoadRestrictionsRootOnly LoadRestrictionsNone]',
  },
]
for (const { argv, problem } of faults)
  test(`build ${argv.join(' ')} is refused in kustomize's words`, () => {
    const flags = parseBuildFlags(argv, {})
    assert.equal('problem' in flags && flags.problem, problem)
  })

test('build takes every flag of the original, wherever it stands', () => {
  const flags = parseBuildFlags(
    [
      '-eA=b',
      '--network',
      'dir',
      '-oout',
      '--helm-api-versions',
      'a',
      '--as-current-user',
      '--',
      '--load-restrictor',
    ].slice(0, 8),
    {},
  )
  assert.deepEqual(flags, {
    dir: 'dir',
    output: 'out',
    options: { loadRestrictions: 'rootOnly', reorder: 'legacy', managedByLabel: false, compat: '5.8.1', origin: false },
    checksObjects: true,
    mode: 'once',
    notes: [],
  })
})

const object = (apiVersion: string, kind: string, name: string, namespace?: string): Record<string, unknown> => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace ? { namespace } : {}) },
})

test('a file of an object carries its namespace only where there are several', () => {
  const one = [object('apps/v1', 'Deployment', 'Web', 'a'), object('v1', 'Namespace', 'a')]
  assert.deepEqual([...filesOf(one).keys()], ['apps_v1_deployment_web.yaml', 'v1_namespace_a.yaml'])
  const two = [...one, object('v1', 'Service', 'web')]
  assert.deepEqual(
    [...filesOf(two).keys()],
    ['a_apps_v1_deployment_web.yaml', 'v1_namespace_a.yaml', 'default_v1_service_web.yaml'],
  )
  assert.throws(() => filesOf([object('v1', 'Service', '../web')]), /has a slash/)
})
