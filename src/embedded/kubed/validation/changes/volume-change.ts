import { internalForm } from '../../../../lib/kube-schema/go-types.ts'
import { equal, isObject, type JsonObject, objectOf } from '../../../../lib/kube/json.ts'
import { asGiven } from '../../decoding/emptied.ts'
import type { FieldError } from '../../fault.ts'
import { type Obj, specOf } from '../../object.ts'
import { unifiedDiff } from './diff-text.ts'
import { forbid, invalidValue } from '../fault-list.ts'

const NODES = 'field is immutable, except for updating from beta label to GA'

/** Faults of a changed volume. @see k8s.io/kubernetes/pkg/apis/core/validation ValidatePersistentVolumeUpdate */
export function checkVolumeChange(volume: Obj, before: Obj, errors: FieldError[]): void {
  const [spec, old] = [specOf(volume), specOf(before)]
  const [wanted, had] = [spec, old].map((each) => internalForm('core/PersistentVolumeSource', each))
  if (wanted !== undefined && had !== undefined && !equal(wanted, had))
    forbid(
      errors,
      'spec.persistentvolumesource',
      `spec.persistentvolumesource is immutable after creation\n${unifiedDiff(lines(had), lines(wanted))}`,
    )
  if (!equal(spec.volumeMode, old.volumeMode)) invalidValue(errors, 'volumeMode', spec.volumeMode, 'field is immutable')
  if (isObject(old.nodeAffinity) && !equal(spec.nodeAffinity ?? null, old.nodeAffinity))
    invalidValue(
      errors,
      'nodeAffinity',
      isObject(spec.nodeAffinity)
        ? internalForm('core/VolumeNodeAffinity', objectOf(asGiven(spec.nodeAffinity)))
        : null,
      NODES,
    )
  if (old.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined)
    forbid(errors, 'spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden')
}

const lines = (value: JsonObject): string[] => JSON.stringify(value, undefined, 1).split('\n')
