import assert from 'node:assert/strict'
import { test } from 'node:test'
import { schemaFor } from '../../../../lib/kube-schema/builtin.ts'
import type { JsonObject } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { validateFields } from '../walk.ts'
import { checkClaimStatus, checkNodeStatus } from './amount-status-checks.ts'

const OWN = 'Unsupported value: "cpu": supported values: "storage"'
const NO_INLINE = 'Forbidden: may not be specified in the context of inline volumes'
const csi = { driver: 'd.example.com', volumeHandle: 'h' }

function attachment(inlineVolumeSpec: JsonObject, others: JsonObject = {}): (errors: FieldError[]) => void {
  const type = schemaFor('storage.k8s.io/v1', 'VolumeAttachment')
  assert.ok(type)
  const spec = { attacher: 'd.example.com', nodeName: 'n', source: { inlineVolumeSpec, ...others } }
  return (errors) => validateFields(type, { metadata: { name: 'a' }, spec }, '', errors)
}
const claim = (status: JsonObject) => (errors: FieldError[]) => checkClaimStatus({ status }, errors)
const node = (status: JsonObject) => (errors: FieldError[]) => checkNodeStatus({ status }, errors)

// What the real kube-apiserver 1.37.2 told of the same.
const cases: { it: string; of: (errors: FieldError[]) => void; want: string[] }[] = [
  {
    it: 'a claim with more room',
    of: claim({ capacity: { storage: '2Gi' }, allocatedResources: { storage: '1' } }),
    want: [],
  },
  { it: 'a resource of somebody else', of: claim({ allocatedResources: { 'example.com/x': '1' } }), want: [] },
  {
    it: 'a resource that claims do not have',
    of: claim({ allocatedResources: { cpu: '1' } }),
    want: [`status.allocatedResources: ${OWN}`],
  },
  {
    it: 'an amount below nothing',
    of: claim({ capacity: { storage: '-1' }, allocatedResources: { storage: '-1' } }),
    want: ['capacity', 'allocatedResources'].map(
      (field) => `status.${field}[storage]: Invalid value: -1: must be a valid resource quantity`,
    ),
  },
  {
    it: 'a state of growth that there is not',
    of: claim({ allocatedResourceStatuses: { storage: 'Done' } }),
    want: [
      'status.allocatedResourceStatuses: Unsupported value: "storage": supported values: "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"',
    ],
  },
  { it: 'features in order', of: node({ declaredFeatures: ['A', 'A/b', 'B'] }), want: [] },
  {
    it: 'features out of order',
    of: node({ declaredFeatures: ['B', 'A', 'A'] }),
    want: [
      'status.declaredFeatures[1]: Invalid value: "A": list must be sorted alphabetically',
      'status.declaredFeatures[2]: Duplicate value: "A"',
    ],
  },
  {
    it: 'a feature that begins small',
    of: node({ declaredFeatures: ['a'] }),
    want: [
      `status.declaredFeatures[0]: Invalid value: "a": invalid feature name "a": must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes`,
    ],
  },
  {
    it: 'a node with half a pod and less than nothing',
    of: node({ capacity: { cpu: '-1', pods: '500m' } }),
    want: [
      'status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0',
      'status.capacity.pods: Invalid value: "500m": must be an integer',
    ],
  },
  {
    it: 'a node with more pods than Go counts by thousandths',
    of: node({ capacity: { pods: '1Ei', 'x.io/y': '1Pi' } }),
    want: ['status.capacity.pods: Invalid value: "1Ei": must be an integer'],
  },
  {
    it: 'an address that is there twice',
    of: node({
      addresses: [
        { type: 'InternalIP', address: '1.2.3.4' },
        { type: 'InternalIP', address: '1.2.3.4' },
      ],
    }),
    want: ['status.addresses[1]: Duplicate value: {"Type":"InternalIP","Address":"1.2.3.4"}'],
  },
  { it: 'a volume in an attachment', of: attachment({ accessModes: ['ReadWriteOnce'], csi }), want: [] },
  {
    it: 'what a volume in an attachment may not say',
    of: attachment({
      accessModes: ['ReadWriteOnce'],
      csi,
      claimRef: { name: 'a' },
      capacity: { storage: '1Gi' },
      persistentVolumeReclaimPolicy: 'Delete',
      nodeAffinity: {},
      storageClassName: 'x',
      volumeMode: 'Block',
    }),
    want: [
      `spec.source.inlineVolumeSpec.claimRef: ${NO_INLINE}`,
      `spec.source.inlineVolumeSpec.capacity: ${NO_INLINE}`,
      'spec.source.inlineVolumeSpec.persistentVolumeReclaimPolicy: Forbidden: may only be Retain in the context of inline volumes',
      `spec.source.inlineVolumeSpec.nodeAffinity: ${NO_INLINE}`,
      `spec.source.inlineVolumeSpec.storageClassName: ${NO_INLINE}`,
      'spec.source.inlineVolumeSpec.volumeMode: Forbidden: may not specify volumeMode other than Filesystem in the context of inline volumes',
    ],
  },
  {
    it: 'an attachment of two volumes',
    of: attachment({}, { persistentVolumeName: 'v' }),
    want: ['spec.source: Forbidden: must specify exactly one of inlineVolumeSpec and persistentVolumeName'],
  },
  {
    it: 'a volume in an attachment that says nothing',
    of: attachment({}),
    want: [
      'spec.source.inlineVolumeSpec.csi: Required value: has to be specified in the context of inline volumes',
      'spec.source.inlineVolumeSpec.accessModes: Required value',
      'spec.source.inlineVolumeSpec: Required value: must specify a volume type',
    ],
  },
]
for (const { it, of, want } of cases)
  test(`kubed tells what is wrong with ${it}`, () => {
    const errors: FieldError[] = []
    of(errors)
    assert.deepEqual(
      errors.map(({ field, message }) => `${field}: ${message}`),
      want,
    )
  })
