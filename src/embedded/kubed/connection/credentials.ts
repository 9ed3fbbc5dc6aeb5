import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Issuer, writeCertificate } from '../../../lib/x509/certificate.ts'
import { newSigningKey } from '../authentication/signing.ts'

/** Keys, certificates and token of a server; kept in its folder. */
export type Credentials = {
  readonly caPem: string
  /** Signs certificates of clients and kubelets. */
  readonly authority: Issuer
  readonly certificate: string
  readonly key: string
  readonly token: string
  /** Signs the tokens of service accounts. */
  readonly accountKey: string
  /** Shows kubelets that it is us who ask. */
  readonly kubeletTls: { readonly key: string; readonly cert: string }
}

const DAY_MS = 24 * 3600 * 1000
const AUTHORITY = { commonName: 'kubed-ca' }

/** Reads the credentials of a folder, making what is missing. Private files are readable by their owner only. */
export function credentialsIn(dir: string, host: string, nowMs: number): Credentials {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const kept = (name: string, make: () => string): string => {
    const file = join(dir, name)
    if (existsSync(file)) return readFileSync(file, 'utf8')
    const text = make()
    writeFileSync(`${file}.new`, text, { mode: 0o600 })
    renameSync(`${file}.new`, file)
    return text
  }
  const caKeyPem = kept('ca.key', newKey)
  const caKey = createPrivateKey(caKeyPem)
  const caPem = kept('ca.crt', () =>
    issue(caKey, caKey, nowMs, { use: 'authority', name: AUTHORITY.commonName, names: [] }),
  )
  const key = kept('server.key', newKey)
  // The server's own certificate is written anew at each start: it may listen elsewhere now.
  const certificate = issue(createPrivateKey(key), caKey, nowMs, {
    use: 'server',
    name: 'kubed',
    names: [
      ...new Set([
        '127.0.0.1',
        'localhost',
        host,
        '10.96.0.1',
        'kubernetes',
        'kubernetes.default',
        'kubernetes.default.svc',
        'kubernetes.default.svc.cluster.local',
      ]),
    ],
  })
  return {
    caPem,
    authority: { subject: AUTHORITY, key: caKey },
    certificate,
    key,
    token: kept('admin.token', () => randomBytes(24).toString('hex')),
    accountKey: kept('service-accounts.key', newSigningKey),
    kubeletTls: kubeletClient(caKey, nowMs),
  }
}

function newKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** Written anew at each start: a kubelet looks at the authority only. */
function kubeletClient(caKey: KeyObject, nowMs: number): Credentials['kubeletTls'] {
  const key = newKey()
  const of = {
    use: 'client',
    name: 'kube-apiserver-kubelet-client',
    organizations: ['system:masters'],
    names: [],
  } as const
  return { key, cert: issue(createPrivateKey(key), caKey, nowMs, of) }
}

function issue(
  key: KeyObject,
  issuer: KeyObject,
  nowMs: number,
  of: {
    use: 'authority' | 'server' | 'client'
    name: string
    organizations?: readonly string[]
    names: readonly string[]
  },
): string {
  return writeCertificate({
    subject: {
      commonName: of.name,
      ...(of.organizations === undefined ? {} : { organizations: of.organizations }),
    },
    key,
    issuer: { subject: AUTHORITY, key: issuer },
    serial: randomBytes(16),
    notBeforeMs: nowMs - DAY_MS,
    notAfterMs: nowMs + (of.use === 'authority' ? 20 : 5) * 365 * DAY_MS,
    use: of.use,
    names: of.names,
  })
}

/** A kubeconfig for the administrator. */
export function kubeconfigOf(server: string, { caPem, token }: Credentials): string {
  const authority = Buffer.from(caPem).toString('base64')
  return [
    'apiVersion: v1',
    'kind: Config',
    'clusters:',
    `- name: kubed\n  cluster:\n    server: ${server}\n    certificate-authority-data: ${authority}`,
    'users:',
    `- name: admin\n  user:\n    token: ${token}`,
    'contexts:',
    '- name: kubed\n  context:\n    cluster: kubed\n    user: admin',
    'current-context: kubed',
    '',
  ].join('\n')
}
