import { type JsonObject, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { OLD_LABELS, OLD_SOURCES, ofTerm } from './pod.ts'
import { own } from '../../../lib/value/own.ts'

const OLD_CLASS = 'volume.beta.kubernetes.io/storage-class'
const OLD_ANNOTATIONS: Readonly<Record<string, string>> = {
  [OLD_CLASS]: 'deprecated since v1.8; use "storageClassName" attribute instead',
  'volume.beta.kubernetes.io/mount-options': 'deprecated since v1.31; use "mountOptions" attribute instead',
}
/** Sources of volumes that a PersistentVolume is warned of, in the order in which the server tells of them. */
const OLD_VOLUME_SOURCES = ['cephfs', 'photonPersistentDisk', 'scaleIO', 'storageos', 'glusterfs', 'rbd']

/** What is accepted in a PersistentVolume and does nothing, or will not for long. @see k8s.io/kubernetes/pkg/api/persistentvolume */
export function ofVolume({ metadata, spec }: JsonObject): string[] {
  const { persistentVolumeReclaimPolicy: policy, nodeAffinity, ...sources } = objectOf(spec)
  const terms = objectsOf(objectOf(objectOf(nodeAffinity).required).nodeSelectorTerms)
  return [
    ...ofAnnotations(metadata, Object.keys(OLD_ANNOTATIONS)),
    ...(policy === 'Recycle'
      ? [
          'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
        ]
      : []),
    ...terms.flatMap((term, index) => ofTerm(term, `spec.nodeAffinity.required.nodeSelectorTerms[${index}]`)),
    ...OLD_VOLUME_SOURCES.filter((source) => sources[source] !== undefined).map((source) => {
      const { name = source, text } = own(OLD_SOURCES, source) ?? { text: '' }
      return `spec.${name}: ${text}`
    }),
  ]
}

/** A claim that names its class as before there was a field for it. */
export const ofOldClass = ({ metadata }: JsonObject): string[] => ofAnnotations(metadata, [OLD_CLASS])

function ofAnnotations(metadata: JsonObject[string] | undefined, names: readonly string[]): string[] {
  const annotations = objectOf(objectOf(metadata).annotations)
  const found = names.filter((name) => annotations[name] !== undefined)
  return found.map((name) => `metadata.annotations[${name}]: ${OLD_ANNOTATIONS[name]}`)
}

/** Old labels of nodes in the topologies of a StorageClass. */
export function ofTopologies(topologies: readonly JsonObject[]): string[] {
  return topologies.flatMap(({ matchLabelExpressions }, index) =>
    objectsOf(matchLabelExpressions).flatMap(({ key }, at) => {
      const old = own(OLD_LABELS, stringOf(key))
      return old === undefined ? [] : [`allowedTopologies[${index}].matchLabelExpressions[${at}].key: ${old}`]
    }),
  )
}

/** Old labels of nodes in the topology of a CSIStorageCapacity. */
export function ofCapacity(topology: JsonObject): string[] {
  const labels = Object.keys(objectOf(topology.matchLabels)).filter((label) => own(OLD_LABELS, label) !== undefined)
  return [
    ...ofTerm(topology, 'nodeTopology'),
    ...labels.map((label) => `nodeTopology.matchLabels.${label}: ${own(OLD_LABELS, label)}`),
  ]
}

/** Old labels of nodes that a RuntimeClass chooses by. */
export const ofRuntime = (scheduling: JsonObject): string[] =>
  Object.keys(objectOf(scheduling.nodeSelector)).flatMap((label) =>
    own(OLD_LABELS, label) === undefined ? [] : [`scheduling.nodeSelector: ${own(OLD_LABELS, label)}`],
  )
