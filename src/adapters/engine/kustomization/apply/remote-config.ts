import type { KubeConfigReference } from '../../../../kinds/kustomization.ts'
import { textMap } from '../../../../kinds/flux-object.ts'
import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import { isRecord } from '../../../../lib/value/is-record.ts'
import { loadOne } from '../../../../lib/yaml/load.ts'
import { goSyntaxError } from '../../../../lib/yaml/syntax/go-syntax-error.ts'
import { kubeconfigFault } from '../../../kube/kubeconfig-fault.ts'
import type { EngineContext } from '../../context.ts'
import type { AccountTokens } from './account-tokens.ts'

/** The part of a file by which Kubernetes tells what it is, as Go prints its type. */
const KIND_OF_FILE =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'

/**
 * Reads `spec.kubeConfig` as the text of a kubeconfig, which only ever holds data: neither programs nor files of this machine (CVE-2022-24817).
 *
 * @throws SluiceError SECRET_MISSING, KUBE_CONFIG
 */
export async function readRemoteConfig(
  context: EngineContext,
  namespace: string,
  reference: KubeConfigReference,
  tokens: AccountTokens,
): Promise<string> {
  return reference.kind === 'Secret'
    ? fromSecret(context, namespace, reference.name, reference.key)
    : fromConfigMap(context, namespace, reference.name, tokens)
}

async function fromSecret(
  { client, traps }: EngineContext,
  namespace: string,
  name: string,
  key: string | undefined,
): Promise<string> {
  const secret = await client.get({ apiVersion: 'v1', kind: 'Secret', namespace, name })
  if (!secret)
    throw missing(`unable to read KubeConfig secret '${namespace}/${name}' error: secrets "${name}" not found`)
  const data = textMap(secret, 'data')
  const value = key === undefined ? (data['value'] ?? data['value.yaml']) : data[key]
  if (value === undefined)
    throw fault(`KubeConfig secret '${namespace}/${name}' does not contain a '${key ?? 'value'}' key with a kubeconfig`)
  const text = Buffer.from(value, 'base64').toString('utf8')
  if (traps === 'flux') refuseAsFlux(text)
  // A text without a line break would be taken for the path of a file.
  return `${text}\n`
}

/** What Kubernetes' own client would not connect by, in its words. */
function refuseAsFlux(text: string): void {
  const value = text.trim() === '' ? {} : (readAsGo(text) ?? {})
  if (!isRecord(value)) {
    const type = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
    throw fault(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${type} into Go value of type ${KIND_OF_FILE}`,
    )
  }
  const why = kubeconfigFault(value)
  if (why !== undefined) throw fault(why)
}

function readAsGo(text: string): unknown {
  try {
    return loadOne(text, '<kubeconfig>')
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    throw fault(goSyntaxError(error, text, 'v2'))
  }
}

/** Whose logins are refused by name. */
const CLOUDS = ['aws', 'azure', 'gcp']

/** A cluster by its address; the login is a token of a service account of this one, which the other trusts. */
async function fromConfigMap(
  { client }: EngineContext,
  namespace: string,
  name: string,
  tokens: AccountTokens,
): Promise<string> {
  const config = await client.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name })
  if (!config) throw missing(`failed to get configmap ${namespace}/${name}: configmaps "${name}" not found`)
  const { provider = '', address = '', serviceAccountName = '', audiences = '', ...data } = textMap(config, 'data')
  if (provider !== 'generic' && !CLOUDS.includes(provider)) throw fault(`provider '${provider}' not implemented`)
  if (provider !== 'generic')
    throw fault(
      `provider "${provider}" of ConfigMap '${namespace}/${name}' is not supported by sluice; use "generic", or a kubeconfig in a Secret`,
    )
  if (address === '' || serviceAccountName === '')
    throw fault(`ConfigMap '${namespace}/${name}' needs the keys address and serviceAccountName for provider "generic"`)
  const audience = audiences.trim() === '' ? [address] : audiences.trim().split(/\s*\n\s*/)
  const token = await tokens(namespace, serviceAccountName, audience)
  const ca = data['ca.crt']
  const cluster = {
    server: address,
    ...(ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
  }
  return `${JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'remote',
    contexts: [{ name: 'remote', context: { cluster: 'remote', user: 'remote' } }],
    clusters: [{ name: 'remote', cluster }],
    users: [{ name: 'remote', user: { token } }],
  })}\n`
}

function missing(message: string): SluiceError {
  return new SluiceError('SECRET_MISSING', message, { retry: 'backoff', where: 'spec.kubeConfig' })
}

function fault(message: string): SluiceError {
  return new SluiceError('KUBE_CONFIG', message, { retry: 'backoff', where: 'spec.kubeConfig' })
}
