import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../error/sluice-error.ts'
import { build, renderBuild } from './build.ts'
import type { Compat } from './compat.ts'
import { treeOfFiles } from './files/tree.ts'

const POD =
  '{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {volumes: [{name: v, image: {reference: "app:1"}}]}}'
const CRON = `{apiVersion: batch/v1, kind: CronJob, metadata: {name: c}, spec: {jobTemplate: {spec: {template: {spec: {volumes: [{name: v, image: {reference: "app:1"}}]}}}}}}`
const MAPS =
  '{apiVersion: v1, kind: ConfigMap, metadata: {name: da}, data: {a: "0"}}\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: db}, data: {a: "0"}}'
const JSON_MAP = `{apiVersion: v1, kind: ConfigMap, metadata: {name: j}, data: {j: '{"a":"x-y","b":1}', s: z}}`
const SET =
  '{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}, spec: {template: {}, volumeClaimTemplates: [{metadata: {name: d}}]}}'
const SECRET = '{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {a: b}}'
const POLICY = '{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: v}}'

/** A row of section "versions" of the study; what each release answers, made by its own binary (5.5.0, 5.8.1, 5.8.2). */
type Row = {
  readonly it: string
  readonly kustomization: string
  readonly resources?: string
  readonly files?: Readonly<Record<string, string>>
  readonly want: Readonly<Record<Compat, string>>
}

const same = (text: string): Row['want'] => ({ '5.5': text, '5.8.1': text, '5.8.2': text })

const rows: readonly Row[] = [
  {
    it: 'an empty patch file is an error in 5.5 only',
    kustomization: 'patches: [{path: empty.yaml}]',
    files: { '/k/empty.yaml': '# nothing\n' },
    want: { ...same('name: p'), '5.5': 'illegally qualifies as both an SM and JSON patch: [path: "empty.yaml"]' },
  },
  {
    it: 'images reach the volumes of pods since 5.7',
    kustomization: 'images: [{name: app, newTag: "2"}]',
    want: { ...same('reference: app:2'), '5.5': 'reference: app:1' },
  },
  {
    it: 'images reach the volumes of cron jobs since 5.8.2',
    kustomization: 'images: [{name: app, newTag: "2"}]',
    resources: CRON,
    want: { ...same('reference: app:1'), '5.8.2': 'reference: app:2' },
  },
  {
    it: 'sourceValue is known since 5.7',
    kustomization:
      'replacements: [{sourceValue: x, targets: [{select: {kind: Pod}, fieldPaths: [metadata.labels.l], options: {create: true}}]}]',
    want: { ...same('l: x'), '5.5': 'invalid Kustomization: json: unknown field "sourceValue"' },
  },
  {
    it: 'targets of replacements are selected by regular expressions since 5.8',
    kustomization:
      'replacements: [{source: {kind: ConfigMap, name: da, fieldPath: metadata.name}, targets: [{select: {name: "d[b]"}, fieldPaths: [data.a]}]}]',
    resources: MAPS,
    want: { ...same('a: db'.replace('db', 'da')), '5.5': 'a: "0"\nkind: ConfigMap\nmetadata:\n  name: db' },
  },
  {
    it: 'replacements reach into JSON texts since 5.8',
    kustomization:
      'replacements: [{source: {kind: ConfigMap, name: j, fieldPath: data.s}, targets: [{select: {name: j}, fieldPaths: [data.j.a]}]}]',
    resources: JSON_MAP,
    want: { ...same(`j: '{"a":"z","b":1}'`), '5.5': 'unable to find field "data.j.a" in replacement target' },
  },
  {
    it: 'replacements replace parts of values in JSON texts since 5.8.2',
    kustomization:
      'replacements: [{source: {kind: ConfigMap, name: j, fieldPath: data.s}, targets: [{select: {name: j}, fieldPaths: [data.j.a], options: {delimiter: "-", index: 1}}]}]',
    resources: JSON_MAP,
    want: {
      '5.5': 'unable to find field "data.j.a" in replacement target',
      '5.8.1': `j: '{"a":"z","b":1}'`,
      '5.8.2': `j: '{"a":"x-z","b":1}'`,
    },
  },
  {
    it: 'includeTemplates leaves volume claims alone since 5.8.2',
    kustomization: 'labels: [{pairs: {l: x}, includeTemplates: true}]',
    resources: SET,
    want: { ...same('labels:\n        l: x\n      name: d'), '5.8.2': '- metadata:\n      name: d' },
  },
  {
    it: 'includeSelectors labels volume claims in all',
    kustomization: 'labels: [{pairs: {l: x}, includeSelectors: true}]',
    resources: SET,
    want: same('labels:\n        l: x\n      name: d'),
  },
  {
    it: 'includeVolumeClaimTemplates is known since 5.8.2',
    kustomization: 'labels: [{pairs: {l: x}, includeVolumeClaimTemplates: true}]',
    resources: SET,
    want: {
      ...same('invalid Kustomization: json: unknown field "includeVolumeClaimTemplates"'),
      '5.8.2': 'labels:\n        l: x\n      name: d',
    },
  },
  {
    it: 'a merge into a Secret keeps its stringData since 5.8.2',
    kustomization: 'secretGenerator: [{name: s, behavior: merge, literals: [c=d]}]',
    resources: SECRET,
    want: { ...same('data:\n  c: ZA=='), '5.8.2': 'data:\n  a: Yg==\n  c: ZA==' },
  },
  {
    it: 'images have digests of any algorithm since 5.8.2',
    kustomization: 'images: [{name: app, newName: other}]',
    resources: POD.replace('app:1', 'app@sha512:aa'),
    want: { ...same('reference: app@sha512:aa'), '5.8.2': 'reference: other@sha512:aa' },
  },
  {
    it: 'an image name is a regular expression in all',
    kustomization: 'images: [{name: a.p, newName: other}]',
    want: { ...same('reference: other:1'), '5.5': 'reference: app:1' },
  },
  {
    it: 'an image name that is no regular expression matches nothing; the older releases panic',
    kustomization: 'images: [{name: "a(b", newName: other}]',
    want: same('reference: app:1'),
  },
  {
    it: 'an admission policy has no namespace since 5.8.2',
    kustomization: 'namespace: ns',
    resources: POLICY,
    want: { ...same('name: v\n  namespace: ns'), '5.8.2': 'name: v\n' },
  },
  {
    it: 'two entries that became one path are pointed out since 5.8.2',
    kustomization: 'components:\n- ../a\n - ../b',
    want: {
      ...same('lstat /a - ..: no such file or directory'),
      '5.8.2': 'is ambiguous: resolves to ',
    },
  },
  {
    it: 'several deletions in one patch file work, where 5.5 panics',
    kustomization: 'patches: [{path: gone.yaml}]',
    resources: MAPS,
    files: { '/k/gone.yaml': MAPS.replaceAll('data: {a: "0"}', '$patch: delete') },
    want: same(''),
  },
  {
    it: 'the label says the release',
    kustomization: 'buildMetadata: [managedByLabel]',
    want: { '5.5': 'kustomize-v5.5.0', '5.8.1': 'kustomize-v5.8.1', '5.8.2': 'kustomize-v5.8.2' },
  },
]

function answer({ kustomization, resources, files }: Row, compat: Compat): string {
  const all = { '/k/kustomization.yaml': `resources: [r.yaml]\n${kustomization}\n`, '/k/r.yaml': resources ?? POD }
  try {
    return renderBuild(build(treeOfFiles(new Map(Object.entries({ ...all, ...files }))), '/k', { compat }))
  } catch (error) {
    if (error instanceof SluiceError) return error.message
    throw error
  }
}

for (const row of rows)
  for (const compat of ['5.5', '5.8.1', '5.8.2'] as const)
    test(`kustomize ${compat}: ${row.it}`, () => {
      const got = answer(row, compat)
      assert.ok(got.includes(row.want[compat]), got)
    })
