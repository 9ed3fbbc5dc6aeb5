import type { KubeObject } from '../../../../lib/kube/object.ts'
import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import { isApiServer } from '../../service-shapes.ts'
import { fieldValue, namedContainer, resourceValue } from './fields.ts'
import { readVariable } from './env-file.ts'
import type { Container, EnvVar, FileKeyRef, KeyRef, Pod } from '../shapes.ts'

/** What variables are made of besides the pod itself. */
export type EnvSources = {
  readonly pod: Pod
  readonly ip: string
  readonly hostIp: string
  /** ConfigMap data by name; undefined: there is none. */
  readonly configMap: (name: string) => Readonly<Record<string, string>> | undefined
  /** Secret data by name, decoded. */
  readonly secret: (name: string) => Readonly<Record<string, string>> | undefined
  /** The text of a file of one of the pod's volumes. @throws SluiceError POD_CONFIG when there is none */
  readonly file: (volume: string, path: string) => string
  /** Services of the pod's namespace and that of the API server, for the variables that name them. */
  readonly services: readonly KubeObject[]
}

/**
 * The variables that a container declares, in order: Services, `envFrom`, `env`; `$(NAME)` means one before it, `$$(NAME)` is kept. Those of its image
 * are not among them: nothing refers to them, and they are replaced by these.
 *
 * @throws SluiceError POD_CONFIG naming the ConfigMap, Secret or key that is missing
 */
export function resolveEnv(container: Container, sources: EnvSources): Map<string, string> {
  const env = new Map<string, string>()
  const isLinked = sources.pod.spec.enableServiceLinks !== false
  const services = sources.services.filter((service) => isLinked || isApiServer(service))
  for (const [name, value] of serviceEnv(services)) env.set(name, value)
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const ref = configMapRef ?? secretRef
    if (ref === undefined) continue
    const kind = configMapRef ? 'configmap' : 'secret'
    const data = configMapRef ? sources.configMap(ref.name ?? '') : sources.secret(ref.name ?? '')
    if (data === undefined && ref.optional !== true) throw missing(kind, ref.name ?? '')
    for (const [key, value] of Object.entries(data ?? {})) if (isEnvName(prefix + key)) env.set(prefix + key, value)
  }
  for (const variable of container.env ?? []) {
    const value = valueOf(variable, container, sources, env)
    if (value !== undefined) env.set(variable.name, value)
  }
  return env
}

/** All variables of a container: the host's name, those of the image, those that it declares. */
export function wholeEnv(
  hostname: string,
  imageEnv: readonly string[],
  declared: ReadonlyMap<string, string>,
): Map<string, string> {
  const ofImage = imageEnv.map((entry) => [entry.split('=', 1)[0] ?? '', entry.slice(entry.indexOf('=') + 1)] as const)
  return new Map([['HOSTNAME', hostname], ...ofImage, ...declared])
}

/** Whether Kubernetes takes it for the name of a variable: printable ASCII without `=`. */
export function isEnvName(name: string): boolean {
  return /^[ -<>-~]+$/.test(name)
}

/** Replaces `$(NAME)` by known variables; unknown ones stay as they are, with all that is in them; `$$` is a plain `$`. */
export function expandVariables(text: string, env: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (whole, name: string | undefined) =>
    name === undefined ? '$' : (env.get(name) ?? whole),
  )
}

/** Program and arguments: the pod's `command` drops the image's words, `args` only its Cmd. */
export function commandOf(
  { command, args }: Container,
  image: { readonly Entrypoint?: readonly string[] | null; readonly Cmd?: readonly string[] | null },
  env: ReadonlyMap<string, string>,
): readonly string[] {
  const own = (words: readonly string[]): string[] => words.map((word) => expandVariables(word, env))
  if (command && command.length > 0) return [...own(command), ...own(args ?? [])]
  const entry = image.Entrypoint ?? []
  return [...entry, ...(args && args.length > 0 ? own(args) : (image.Cmd ?? []))]
}

function valueOf(
  { name, value, valueFrom }: EnvVar,
  container: Container,
  sources: EnvSources,
  env: ReadonlyMap<string, string>,
): string | undefined {
  if (valueFrom === undefined) return expandVariables(value ?? '', env)
  const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef, fileKeyRef } = valueFrom
  if (fieldRef) return fieldValue(sources.pod, fieldRef.fieldPath, sources.ip, sources.hostIp)
  const { namespace = 'default' } = sources.pod.metadata
  if (configMapKeyRef)
    return keyed(namespace, 'ConfigMap', configMapKeyRef, sources.configMap(configMapKeyRef.name ?? ''))
  if (secretKeyRef) return keyed(namespace, 'Secret', secretKeyRef, sources.secret(secretKeyRef.name ?? ''))
  if (resourceFieldRef) return resourceValue(namedContainer(sources.pod, resourceFieldRef, container), resourceFieldRef)
  if (fileKeyRef) return ofFile(fileKeyRef, sources)
  throw new SluiceError('POD_CONFIG', `variable ${name}: a valueFrom of this kind is not known`)
}

function ofFile({ volumeName, path, key, optional }: FileKeyRef, { file }: EnvSources): string | undefined {
  const found = readVariable(file(volumeName, path), key)
  if ('value' in found) return found.value
  const where = `in file "${path}" of volume "${volumeName}"`
  if ('fault' in found) throw new SluiceError('POD_CONFIG', `couldn't parse env file: ${found.fault} ${where}`)
  if (optional === true) return undefined
  throw new SluiceError('POD_CONFIG', `environment variable key "${key}" not found ${where}`)
}

function keyed(
  namespace: string,
  kind: 'ConfigMap' | 'Secret',
  ref: KeyRef,
  data: Readonly<Record<string, string>> | undefined,
): string | undefined {
  const value = data?.[ref.key]
  if (value !== undefined || ref.optional === true) return value
  if (data === undefined) throw missing(kind.toLowerCase(), ref.name ?? '')
  throw new SluiceError('POD_CONFIG', `couldn't find key ${ref.key} in ${kind} ${namespace}/${ref.name}`, {
    retry: 'backoff',
  })
}

/** The variables of a Service: its address and ports, and the same in the form of Docker's links, which the original still writes. */
function serviceEnv(services: readonly KubeObject[]): [string, string][] {
  return services.flatMap((service) => {
    const spec = service['spec'] as { clusterIP?: string; ports?: ServicePort[] } | undefined
    const { clusterIP: ip, ports = [] } = spec ?? {}
    const [first] = ports
    if (!ip || ip === 'None' || !first) return []
    const name = nameInEnv(service.metadata.name)
    const named = ports.flatMap((port): [string, string][] =>
      port.name ? [[`${name}_SERVICE_PORT_${nameInEnv(port.name)}`, String(port.port)]] : [],
    )
    const host = ip.includes(':') ? `[${ip}]` : ip
    const links = ports.flatMap(({ port, protocol = 'TCP' }): [string, string][] => {
      const prefix = `${name}_PORT_${port}_${protocol}`
      return [
        [prefix, `${protocol.toLowerCase()}://${host}:${port}`],
        [`${prefix}_PROTO`, protocol.toLowerCase()],
        [`${prefix}_PORT`, String(port)],
        [`${prefix}_ADDR`, ip],
      ]
    })
    const whole = `${(first.protocol ?? 'TCP').toLowerCase()}://${host}:${first.port}`
    const basic: [string, string][] = [
      [`${name}_SERVICE_HOST`, ip],
      [`${name}_SERVICE_PORT`, String(first.port)],
    ]
    return [...basic, ...named, [`${name}_PORT`, whole], ...links]
  })
}

type ServicePort = { readonly name?: string; readonly port: number; readonly protocol?: string }

const nameInEnv = (name: string): string => name.toUpperCase().replaceAll('-', '_')

function missing(kind: string, name: string): SluiceError {
  return new SluiceError('POD_CONFIG', `${kind} "${name}" not found`, { retry: 'backoff' })
}
