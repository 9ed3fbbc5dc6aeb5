import { parseArgs } from 'node:util'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { dump } from '../../../lib/yaml/dump.ts'
import { CLUSTER_OPTIONS, withCluster } from '../cluster.ts'
import type { ExitCode, Io } from '../command.ts'
import { givenFrom, SECRET_FORMS } from './create-secret.ts'
import { tenantObjects } from './create-tenant.ts'
import { parseLabels } from './labels.ts'
import { own } from '../../../lib/value/own.ts'

const COMMON = {
  ...CLUSTER_OPTIONS,
  label: { type: 'string', multiple: true },
  export: { type: 'boolean' },
} as const
const NAME = /^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/

/** `create secret FORM NAME`: a Secret with what one of Flux's objects looks for in it. */
export async function createSecret(argv: readonly string[], io: Io): Promise<ExitCode> {
  const [form = ''] = argv
  const known = own(SECRET_FORMS, form)
  if (!known) throw new SluiceError('USAGE', `which form of Secret? ${Object.keys(SECRET_FORMS).join(', ')}`)
  const flags = Object.entries(known.flags).map(([key, multiple]) => [key, { type: 'string', multiple }] as const)
  const { values, positionals } = parseArgs({
    args: argv.slice(1),
    allowPositionals: true,
    options: { ...Object.fromEntries(flags), ...COMMON },
  })
  const name = checkedName(positionals[0])
  const { namespace = 'flux-system', label = [] } = values
  const { type, annotations, stringData } = known.make(givenFrom(values, io), name, namespace)
  const metadata = {
    ...(annotations === undefined ? {} : { annotations }),
    ...(label.length === 0 ? {} : { labels: parseLabels(label) }),
    name,
    namespace,
  }
  const secret: KubeObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata,
    ...(Object.keys(stringData).length === 0 ? {} : { stringData }),
    ...(type === undefined ? {} : { type }),
  }
  return finish([secret], values, io, `► ${form} secret '${name}' created in '${namespace}' namespace`)
}

/** `create tenant NAME`: namespaces whose Kustomizations reconcile with rights of their own. */
export async function createTenant(argv: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      ...COMMON,
      'with-namespace': { type: 'string', multiple: true, default: [] },
      'cluster-role': { type: 'string', default: 'cluster-admin' },
      'with-service-account': { type: 'string', default: '' },
      'skip-namespace': { type: 'boolean', default: false },
    },
  })
  const name = checkedName(positionals[0])
  const objects = tenantObjects({
    name,
    namespaces: values['with-namespace'].flatMap((word) => word.split(',')),
    labels: parseLabels(values.label ?? []),
    clusterRole: values['cluster-role'],
    account: values['with-service-account'] || name,
    skipsNamespaces: values['skip-namespace'],
  })
  return finish(objects, values, io, '✔ tenant setup completed')
}

async function finish(
  objects: readonly KubeObject[],
  values: Parameters<typeof withCluster>[0] & { readonly export?: boolean | undefined },
  io: Io,
  done: string,
): Promise<ExitCode> {
  if (values.export) {
    for (const object of objects) io.out(`---\n${dump(object).trimEnd()}`)
    return 0
  }
  return withCluster(values, io, async (client) => {
    for (const object of objects) {
      const { apiVersion, kind, metadata } = object
      const ref = { apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name }
      await client.patch(ref, 'apply', object, { fieldManager: 'flux', force: true })
    }
    io.out(done)
    return 0
  })
}

function checkedName(name: string | undefined): string {
  if (name === undefined) throw new SluiceError('USAGE', 'name is required')
  if (NAME.test(name)) return name
  throw new SluiceError(
    'USAGE',
    `name '${name}' is invalid, it should adhere to standard defined in RFC 1123, the name can only contain alphanumeric characters or '-'`,
  )
}
