import assert from 'node:assert/strict'
import { test } from 'node:test'
import { migrateText } from './migrate-text.ts'

const cases: [it: string, text: string, want: string][] = [
  [
    'writes the latest version, and keeps what stands behind it',
    'apiVersion: source.toolkit.fluxcd.io/v1beta2 # why\nkind: GitRepository\n',
    'apiVersion: source.toolkit.fluxcd.io/v1 # why\nkind: GitRepository\n',
  ],
  [
    'knows each kind by itself',
    'apiVersion: notification.toolkit.fluxcd.io/v1beta2\nkind: Alert\n---\napiVersion: notification.toolkit.fluxcd.io/v1beta2\nkind: Receiver\n',
    'apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Alert\n---\napiVersion: notification.toolkit.fluxcd.io/v1\nkind: Receiver\n',
  ],
  ['leaves a latest version', 'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n', ''],
  [
    'leaves what is not in the line above the kind',
    'kind: Alert\napiVersion: notification.toolkit.fluxcd.io/v1beta2\n',
    '',
  ],
  [
    'leaves other groups, and names that objects inherit',
    'apiVersion: helm.toolkit.fluxcd.io/v1\nkind: constructor\n',
    '',
  ],
]
for (const [it, text, want] of cases)
  test(`migrate ${it}`, () => assert.equal(migrateText(text).text, want === '' ? text : want))
