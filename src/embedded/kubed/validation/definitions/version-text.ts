import { isObject, type Json, objectOf, objectsOf } from '../../../../lib/kube/json.ts'
import { schemaText } from './schema-text.ts'

/** The schema of a version as the internal kind prints it. */
export function schemaPartText(part: Json | undefined): Json {
  if (!isObject(part)) return null
  const { openAPIV3Schema: schema } = part
  return { OpenAPIV3Schema: isObject(schema) ? schemaText(schema) : null }
}

/** The subresources of a version as the internal kind prints them. */
export function subresourcesText(part: Json | undefined): Json {
  if (!isObject(part)) return null
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = objectOf(part.scale)
  const scale = {
    SpecReplicasPath: specReplicasPath ?? '',
    StatusReplicasPath: statusReplicasPath ?? '',
    LabelSelectorPath: labelSelectorPath ?? null,
  }
  return { Status: part.status ?? null, Scale: isObject(part.scale) ? scale : null }
}

/** The columns of a version as the internal kind prints them. */
export function columnsText(columns: Json | undefined): Json {
  if (!Array.isArray(columns)) return null
  return objectsOf(columns).map(({ name, type, format, description, priority, jsonPath }) => ({
    Name: name ?? '',
    Type: type ?? '',
    Format: format ?? '',
    Description: description ?? '',
    Priority: priority ?? 0,
    JSONPath: jsonPath ?? '',
  }))
}

/** The selectable fields of a version as the internal kind prints them. */
export function selectableText(fields: Json | undefined): Json {
  return Array.isArray(fields) ? objectsOf(fields).map(({ jsonPath }) => ({ JSONPath: jsonPath ?? '' })) : null
}
