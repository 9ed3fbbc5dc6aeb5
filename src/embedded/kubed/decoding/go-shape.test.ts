import assert from 'node:assert/strict'
import { test } from 'node:test'
import { schemaFor } from '../../../lib/kube-schema/builtin.ts'
import type { JsonObject } from '../../../lib/kube/json.ts'
import { shapeLikeGo } from './go-shape.ts'

/** As encoding/json writes the types of Kubernetes 1.37.2. */
const cases: { it: string; kind: [apiVersion: string, kind: string]; spec: JsonObject; want: JsonObject }[] = [
  {
    it: 'writes a pointer to nothing as null where its tag does not say to leave it out',
    kind: ['networking.k8s.io/v1', 'Ingress'],
    spec: { defaultBackend: { resource: { kind: 'k', name: 'n' } } },
    want: { defaultBackend: { resource: { apiGroup: null, kind: 'k', name: 'n' } } },
  },
  {
    it: 'writes it below maps and lists, too',
    kind: ['resource.k8s.io/v1', 'ResourceSlice'],
    spec: { devices: [{ name: 'd', capacity: { c: { value: '1', requestPolicy: {} } } }] },
    want: { devices: [{ name: 'd', capacity: { c: { value: '1', requestPolicy: { default: null } } } }] },
  },
  {
    it: 'leaves a pointer to something as it is',
    kind: ['v1', 'PersistentVolume'],
    spec: { azureFile: { secretName: 's', shareName: 'h', secretNamespace: '' } },
    want: { azureFile: { secretName: 's', shareName: 'h', secretNamespace: '' } },
  },
]
for (const { it, kind, spec, want } of cases)
  test(`Go ${it}`, () => {
    const type = schemaFor(...kind)?.child('spec')
    assert.ok(type)
    const value = structuredClone(spec)
    shapeLikeGo(type, value)
    assert.deepEqual({ ...value, ...want }, value)
  })
