import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kubeconfigFault } from './kubeconfig-fault.ts'

const CALM = {
  'current-context': 'c',
  contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
  clusters: [{ name: 'k', cluster: { server: 'https://h' } }],
  users: [{ name: 'u', user: { token: 't' } }],
}
const NOTHING =
  'invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable'
const userOf = (user: object): object => ({ ...CALM, users: [{ name: 'u', user }] })

// The words are those of client-go 0.36 for the same files.
const cases: readonly [it: string, root: object, fault: string | undefined][] = [
  ['a whole one', CALM, undefined],
  ['an empty one', {}, NOTHING],
  ['one of no kind at all', { ...CALM, apiVersion: '', kind: null }, undefined],
  [
    'another kind',
    { ...CALM, kind: 'Nope' },
    'no kind "Nope" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111"',
  ],
  [
    'a version that is a number',
    { ...CALM, apiVersion: 1 },
    "couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field .apiVersion of type string",
  ],
  ['no current context', { ...CALM, 'current-context': '' }, NOTHING],
  [
    'a context that is not there',
    { ...CALM, 'current-context': 'z' },
    'invalid configuration: [context was not found for specified context: z, cluster has no server defined]',
  ],
  ['a cluster that is not there', { ...CALM, clusters: [] }, NOTHING],
  [
    'a cluster without its server',
    { ...CALM, clusters: [{ name: 'k', cluster: { 'insecure-skip-tls-verify': true } }] },
    'invalid configuration: no server found for cluster "k"',
  ],
  ['nobody', userOf({}), undefined],
  [
    'two ways to log in',
    userOf({ token: 't', password: 'p' }),
    'invalid configuration: more than one authentication method found for u; found [token basicAuth], only one is allowed',
  ],
  [
    'a certificate without its key',
    userOf({ 'client-certificate-data': 'eA==' }),
    'invalid configuration: client-key-data or client-key must be specified for u to use the clientCert authentication method.',
  ],
  [
    'groups of nobody',
    userOf({ 'as-groups': ['g'] }),
    'invalid configuration: requesting uid, groups or user-extra for u without impersonating a user',
  ],
]

for (const [it, root, fault] of cases)
  test(`a kubeconfig with ${it} is told of as client-go does`, () =>
    assert.equal(kubeconfigFault(root as Record<string, unknown>), fault))
