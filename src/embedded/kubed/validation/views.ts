import { objectOf, objectsOf, type Json, type JsonObject } from '../../../lib/kube/json.ts'

/** What is validated in the place of a value: what its controller will make of it. */
export const VIEWS: Readonly<Record<string, (value: JsonObject) => JsonObject>> = {
  'apps.v1.StatefulSetSpec': withVolumesOfClaims,
}

/** Pods of a StatefulSet have a volume for each of its claims, and names that it gives. */
function withVolumesOfClaims(spec: JsonObject): JsonObject {
  const claims = objectsOf(spec.volumeClaimTemplates).map(({ metadata }) => objectOf(metadata).name ?? '')
  const template = objectOf(spec.template)
  const { hostname: _hostname, subdomain: _subdomain, ...pod } = objectOf(template.spec)
  if (claims.length === 0) return { ...spec, template: { ...template, spec: pod } }
  const volumes: Json[] = [
    ...claims.map((name) => ({ name, persistentVolumeClaim: { claimName: name } })),
    ...objectsOf(pod.volumes).filter(({ name }) => !claims.includes(name ?? '')),
  ]
  return { ...spec, template: { ...template, spec: { ...pod, volumes } } }
}
