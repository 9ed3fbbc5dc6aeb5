import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../lib/kube/object.ts'
import { treeOfFiles } from '../../lib/kustomize/files/tree.ts'
import { LARGEST_SOPS_BYTES } from '../../lib/sops/decrypt.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { encryptedSourcesOf } from './build-kustomization.ts'
import { decryptObjects, type Decrypt } from './decrypt-objects.ts'

const dotenv = 'A=ENC[x]\nsops_mac=ENC[AES256_GCM,data:x]\n'
const sealed = 'stringData: {a: ENC[x]}\nsops: {x: 1}\nmac: ENC[AES256_GCM,data:x]\n'

const found = (files: Record<string, string>, path = '', components: string[] = []): string[] =>
  encryptedSourcesOf({
    tree: treeOfFiles(new Map(Object.entries(files))),
    root: '/src',
    path,
    spec: { components },
  }).map(({ path: file, format }) => `${file} ${format}`)

const searches: { it: string; files: Record<string, string>; components?: string[]; want: string[] }[] = [
  {
    it: 'files and envs of generators, by the key that says the format',
    files: {
      '/src/kustomization.yaml':
        'secretGenerator: [{name: a, files: [key.json=file.txt, plain.txt], envs: [a.env], env: b}]\n',
      '/src/file.txt': '{"mac": "ENC[AES256_GCM"}',
      '/src/plain.txt': 'open',
      '/src/a.env': dotenv,
      '/src/b': dotenv,
    },
    want: ['/src/file.txt json', '/src/b dotenv', '/src/a.env dotenv'],
  },
  {
    it: 'patches, and what lies in resources and components',
    files: {
      '/src/kustomization.yaml': 'resources: [base]\ncomponents: [part]\npatches: [{path: p.yaml}]\n',
      '/src/p.yaml': sealed,
      '/src/base/kustomization.yaml': 'secretGenerator: [{name: a, envs: [a.env]}]\n',
      '/src/base/a.env': dotenv,
      '/src/part/kustomization.yaml': 'secretGenerator: [{name: a, envs: [../base/a.env, b.env]}]\n',
      '/src/part/b.env': dotenv,
    },
    want: ['/src/p.yaml yaml', '/src/base/a.env dotenv', '/src/part/b.env dotenv'],
  },
  {
    it: 'components of the spec, and folders of a generated kustomization',
    files: {
      '/src/sub/kustomization.yaml': 'secretGenerator: [{name: a, envs: [a.env]}]\n',
      '/src/sub/a.env': dotenv,
      '/src/extra/kustomization.yaml': 'secretGenerator: [{name: b, envs: [b.env]}]\n',
      '/src/extra/b.env': dotenv,
    },
    components: ['extra'],
    want: ['/src/extra/b.env dotenv', '/src/sub/a.env dotenv'],
  },
  {
    it: 'nothing outside of the source, no configuration of sops itself',
    files: {
      '/etc/a.env': dotenv,
      '/src/.sops.yaml': sealed,
      '/src/kustomization.yaml':
        'resources: [../etc]\nsecretGenerator: [{name: a, envs: [../etc/a.env, /etc/a.env]}]\n',
    },
    want: [],
  },
  {
    it: 'nothing in a circle of folders',
    files: {
      '/src/kustomization.yaml': 'resources: [a]\n',
      '/src/a/kustomization.yaml': 'resources: [..]\n',
    },
    want: [],
  },
]
for (const { it, files, components, want } of searches)
  test(`encrypted sources: ${it}`, () => assert.deepEqual(found(files, '', components).sort(), [...want].sort()))

test('encrypted sources: a file above 5 MiB is refused', () => {
  const big = `${dotenv}${'#'.repeat(LARGEST_SOPS_BYTES)}`
  const files = { '/src/kustomization.yaml': 'secretGenerator: [{name: a, envs: [a.env]}]\n', '/src/a.env': big }
  assert.throws(() => found(files), /cannot decrypt file with size \(\d+ bytes\) exceeding limit \(5242880\)/)
})

const upper: Decrypt = async (bytes, input, output) => {
  const text = Buffer.from(bytes).toString()
  if (text.includes('broken')) throw new SluiceError('SOPS_DECRYPT', 'no key')
  if (input === 'json') return Buffer.from(JSON.stringify({ ...JSON.parse(text), sops: undefined, opened: true }))
  return Buffer.from(`${input}->${output}`)
}
const secret = (fields: Record<string, unknown>, annotations: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 's', namespace: 'ns', annotations },
  ...fields,
})
const base64 = (text: string): string => Buffer.from(text).toString('base64')

test('decryption opens manifests of any kind, and values of Secrets that are encrypted files', async () => {
  const [whole, values, open] = await decryptObjects(
    [
      { ...secret({ sops: { mac: 'ENC[x' } }), kind: 'Thing' },
      secret({ data: { 'a.ini': base64(dotenv), b: base64('open'), c: 'not base64 at all' } }),
      { ...secret({ data: { a: dotenv } }), kind: 'ConfigMap' },
    ],
    upper,
  )
  assert.equal((whole as { opened?: boolean } | undefined)?.opened, true)
  assert.deepEqual((values as { data?: unknown } | undefined)?.data, {
    'a.ini': base64('dotenv->ini'),
    b: base64('open'),
    c: 'not base64 at all',
  })
  assert.equal(JSON.stringify(open).includes('sops_mac'), true)
})

test('decryption leaves what says so', async () => {
  const object = secret({ sops: { mac: 'x' } }, { 'kustomize.toolkit.fluxcd.io/decrypt': 'Disabled' })
  assert.deepEqual(await decryptObjects([object], upper), [object])
})

test('decryption names the object, and the field', async () => {
  await assert.rejects(
    decryptObjects([secret({ sops: { mac: 'broken' } })], upper),
    /^SluiceError: decryption failed for 'Secret\.v1\.\[noGrp\]\/s': failed to decrypt and format 'ns\/s' Secret data: no key$/,
  )
  await assert.rejects(
    decryptObjects([secret({ data: { k: base64(`${dotenv}broken`) } })], upper),
    /failed to decrypt and format 'ns\/s' Secret field 'k': no key/,
  )
})
