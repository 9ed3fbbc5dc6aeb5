import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import { kubedOfFile } from '../../../../../tests/support/kubed.ts'
import { writeCertificate } from '../../../../lib/x509/certificate.ts'
import { writeSigningRequest } from '../../../../lib/x509/write-request.ts'

const PATH = '/apis/certificates.k8s.io/v1/namespaces/default/podcertificaterequests'
const pair = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const [own, other, authority] = [pair(), pair(), pair()]
const stub = writeSigningRequest(own).toString('base64')

const kubed = kubedOfFile()

async function ask(method: string, path: string, body: object, user = ''): Promise<string> {
  const answer = await kubed.ask(method, path, body, user === '' ? {} : { 'impersonate-user': user })
  return answer.code < 300 ? 'taken' : (answer.body.message ?? '')
}

const SPEC = {
  signerName: 'example.com/s',
  ...{ podName: 'p', podUID: 'p-uid', nodeName: 'n', nodeUID: 'n-uid' },
  ...{ serviceAccountName: 'robot', serviceAccountUID: 'robot-uid' },
  stubPKCS10Request: stub,
}
const make = (name: string, spec: object = {}): Promise<string> =>
  ask('POST', PATH, { metadata: { name }, spec: { ...SPEC, ...spec } })
const say = (name: string, status: object, user?: string): Promise<string> =>
  ask('PATCH', `${PATH}/${name}/status`, { status }, user)

const told = (type: string, status = 'True') => ({
  ...{ type, status, reason: 'Test', message: '' },
  lastTransitionTime: '2026-01-01T00:00:00Z',
})
const iso = (atMs: number): string => new Date(atMs).toISOString().replace(/\.\d+/, '')
const NOW = Math.floor(Date.now() / 1000) * 1000
const HOUR_MS = 3_600_000
function issued(key = own, hours = 2, fromMs = NOW, names: string[] = []) {
  const toMs = fromMs + hours * HOUR_MS
  const issuer = { subject: { commonName: 's' }, key: authority }
  const dates = { notBeforeMs: fromMs, notAfterMs: toMs }
  const serial = Buffer.from([1])
  return {
    conditions: [told('Issued')],
    certificateChain: writeCertificate({
      subject: issuer.subject,
      key,
      issuer,
      serial,
      use: 'client',
      names,
      ...dates,
    }),
    ...{ notBefore: iso(fromMs), notAfter: iso(toMs), beginRefreshAt: iso(fromMs + HOUR_MS) },
  }
}

const asked: [it: string, spec: object, want: RegExp][] = [
  ['of a key', {}, /^taken$/],
  ['of no key', { stubPKCS10Request: undefined }, /spec: Invalid value: exactly one of/],
  [
    'that cannot be read',
    { stubPKCS10Request: 'AAAA' },
    /spec.stubPKCS10Request: Invalid value: must be a valid PKCS#10 CSR$/,
  ],
  [
    'of a signer without a domain',
    { signerName: 's' },
    /spec.signerName: Invalid value: "s": must be a fully qualified domain/,
  ],
  [
    'with words of no domain',
    { unverifiedUserAnnotations: { a: 'b' } },
    /spec.unverifiedUserAnnotations: Invalid value: "a": must be a domain-prefixed key/,
  ],
  [
    'with too many words',
    { unverifiedUserAnnotations: { 'a.b/c': 'x'.repeat(256 * 1024) } },
    /spec.unverifiedUserAnnotations: Too long: may not be more than 262144 bytes$/,
  ],
  ['of no pod', { podUID: '' }, /spec.podUID: Invalid value: "": must not be empty$/],
  [
    'for minutes',
    { maxExpirationSeconds: 600 },
    /spec.maxExpirationSeconds: Invalid value: 600: must be in the range \[3600, 7862400\]$/,
  ],
]
for (const [index, [it, spec, want]] of asked.entries())
  test(`a request ${it} is ${want.test('taken') ? 'taken' : 'refused'}`, async () =>
    assert.match(await make(`asked-${index}`, spec), want))

test('a pod tells a signer words of a domain only', async () => {
  const podCertificate = { signerName: 'a.b/c', keyType: 'ED25519', keyPath: 'k', userAnnotations: { a: 'b' } }
  const volumes = [{ name: 'v', projected: { sources: [{ podCertificate }] } }]
  const spec = { containers: [{ name: 'c', image: 'i' }], volumes, automountServiceAccountToken: false }
  await ask('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } })
  assert.match(
    await ask('POST', '/api/v1/namespaces/default/pods', { metadata: { name: 'p' }, spec }),
    /podCertificate.userAnnotations: Invalid value: "a": must be a domain-prefixed key/,
  )
})

test('what is asked for stays', async () => {
  await make('fixed')
  assert.match(
    await ask('PATCH', `${PATH}/fixed`, { spec: { podName: 'q' } }),
    /spec: Invalid value: .*field is immutable/,
  )
})

const answers: [it: string, status: () => object, want: RegExp][] = [
  ['a certificate', () => issued(), /^taken$/],
  ['a refusal', () => ({ conditions: [told('Denied')] }), /^taken$/],
  [
    'a refusal with a certificate',
    () => ({ ...issued(), conditions: [told('Failed')] }),
    /status: Invalid value: non-condition status fields must be empty/,
  ],
  [
    'two things',
    () => ({ ...issued(), conditions: [told('Issued'), told('Denied')] }),
    /status.conditions\[1\].type: Invalid value: "Denied": There may be at most one/,
  ],
  [
    'what nobody knows',
    () => ({ conditions: [told('Done')] }),
    /status.conditions\[0\].type: Unsupported value: "Done"/,
  ],
  [
    'no',
    () => ({ conditions: [told('Issued', 'False')] }),
    /status.conditions\[0\].status: Unsupported value: "False": supported values: "True"/,
  ],
  [
    'a reason that is a sentence',
    () => ({ conditions: [{ ...told('Denied'), reason: 'not now' }] }),
    /status.conditions\[0\].reason: Invalid value: "not now": a condition reason must start with alphabetic character/,
  ],
  [
    'a reason without end',
    () => ({ conditions: [{ ...told('Denied'), reason: 'A'.repeat(1025) }] }),
    /status.conditions\[0\].reason: Too long: may not be more than 1024 bytes$/,
  ],
  [
    'a certificate for a name with an empty label',
    () => issued(own, 2, NOW, ['a..b']),
    /status.certificateChain: Invalid value: "a..b": leaf certificate's DNSName should not contain '\.\.'$/,
  ],
  [
    'a certificate for a name that ends with a dot',
    () => issued(own, 2, NOW, ['a.b', 'a.b.']),
    /status.certificateChain: Invalid value: "a.b.": leaf certificate's DNSName should not start or end with '\.'$/,
  ],
  ['dates alone', () => ({ notBefore: iso(NOW) }), /status: Invalid value: status is immutable unless transitioning/],
  ['no chain', () => ({ ...issued(), certificateChain: '' }), /must contain at least one certificate/],
  [
    'a key in the chain',
    () => ({
      ...issued(),
      certificateChain: `${issued().certificateChain}-----BEGIN KEY-----\nAAAA\n-----END KEY-----\n`,
    }),
    /must consist entirely of CERTIFICATE PEM blocks/,
  ],
  ['a certificate of another key', () => issued(other), /was not issued to the requested public key/],
  [
    'no time to renew',
    () => ({ ...issued(), beginRefreshAt: null }),
    /status.beginRefreshAt: Required value: must be present and in the range/,
  ],
  [
    'another start',
    () => ({ ...issued(), notBefore: iso(NOW - 1000) }),
    /status.notBefore: Invalid value: .*must be set to the NotBefore time encoded/,
  ],
  ['a certificate of yesterday', () => issued(own, 2, NOW - 24 * HOUR_MS), /must be set to within 5 minutes/],
  ['a certificate of half an hour', () => issued(own, 0.5), /lifetime must be >= 1 hour/],
  ['a certificate of two days', () => issued(own, 48), /lifetime must be <= spec.maxExpirationSeconds \(86400\)/],
  [
    'a renewal at the end',
    () => ({ ...issued(), beginRefreshAt: iso(NOW + 2 * HOUR_MS) }),
    /must be at least 10 minutes before status.notAfter/,
  ],
]
for (const [index, [it, status, want]] of answers.entries())
  test(`a signer that says ${it} is ${want.test('taken') ? 'believed' : 'refused'}`, async () => {
    const name = `said-${index}`
    assert.equal(await make(name), 'taken')
    assert.match(await say(name, status()), want)
  })

test('what is said is said for ever', async () => {
  await make('ended')
  assert.equal(await say('ended', { conditions: [told('Denied')] }), 'taken')
  assert.match(await say('ended', issued()), /status: Invalid value: immutable after/)
})

test('who writes the status writes nothing else', async () => {
  await make('labelled')
  const change = { metadata: { labels: { a: 'b' } }, status: { conditions: [told('Denied')] } }
  const seen = await ask('PATCH', `${PATH}/labelled/status`, change)
  assert.equal(seen, 'taken')
  const { metadata, status } = (await kubed.ask('GET', `${PATH}/labelled`)).body
  assert.deepEqual([metadata.labels, status], [undefined, { conditions: [told('Denied')] }])
})

test('only who may sign for its signer answers a request', async () => {
  const rbac = '/apis/rbac.authorization.k8s.io/v1'
  const rule = (resources: string[], verbs: string[]) => ({ apiGroups: ['certificates.k8s.io'], resources, verbs })
  const writes = rule(['podcertificaterequests', 'podcertificaterequests/status'], ['get', 'patch', 'update'])
  const bind = async (user: string, rules: object[]): Promise<void> => {
    await ask('POST', `${rbac}/clusterroles`, { metadata: { name: user }, rules })
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: user }
    const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }]
    await ask('POST', `${rbac}/clusterrolebindings`, { metadata: { name: user }, roleRef, subjects })
  }
  await bind('writer', [writes])
  await bind('signer', [writes, { ...rule(['signers'], ['sign']), resourceNames: ['example.com/*'] }])
  await make('guarded')
  assert.match(
    await say('guarded', issued(), 'writer'),
    /spec.signerName: Forbidden: User "writer" is not permitted to "sign" for signer "example.com\/s"$/,
  )
  assert.equal(await say('guarded', issued(), 'signer'), 'taken')
})
