import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { kubedOfFile } from '../../../../tests/support/kubed.ts'

const CSRS = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
/** Made by `openssl req -new`: /O=deployers/CN=alice, /O=system:masters/CN=root and /O=system:nodes/CN=system:node:one for DNS:one and IP:10.0.0.1. */
const ALICE =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIZk1JR0dBZ0VBTUNReEVqQVFCZ05WQkFvTUNXUmxjR3h2ZVdWeWN6RU9NQXdHQTFVRUF3d0ZZV3hwWTJVdwpXVEFUQmdjcWhrak9QUUlCQmdncWhrak9QUU1CQndOQ0FBUzFUL05nRk1zK3RaWjlNUzdJQytRVEtUQTFybGJ4CjRtMExtQnF2c2dvOFE1Y0ZUQythQ1ErZVlUeElQVVNoMjBmZXJ3T0JLcGtVL2JlTW1ZVXJ5RzZGb0FBd0NnWUkKS29aSXpqMEVBd0lEU0FBd1JRSWdiUjUyRHlGSEwybkVubUlMVHppQWs2c3haSldSbFN3WHh2Q25vT1ZTbTJNQwpJUURrd0YyZGRnU1VMdjRzbEt4aUdNZmU5VklCTlc2by9SWjhuVXFmaGpESENnPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg=='
const ROOT =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIaU1JR0tBZ0VBTUNneEZ6QVZCZ05WQkFvTURuTjVjM1JsYlRwdFlYTjBaWEp6TVEwd0N3WURWUVFEREFSeQpiMjkwTUZrd0V3WUhLb1pJemowQ0FRWUlLb1pJemowREFRY0RRZ0FFdFUvellCVExQcldXZlRFdXlBdmtFeWt3Ck5hNVc4ZUp0QzVnYXI3SUtQRU9YQlV3dm1na1BubUU4U0QxRW9kdEgzcThEZ1NxWkZQMjNqSm1GSzhodWhhQUEKTUFvR0NDcUdTTTQ5QkFNQ0EwY0FNRVFDSUdNenFhRVB2M0wwZURLWjhUZDhzSk9mVXd0YUppbE1UTytYZ2sydQpYdmlvQWlCMUhFc2thdlgrOXRHa2RQSnEwUnpDUG9Pd0VpQVNFZ2VDaUVtMlJCNmIrdz09Ci0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo='
const NODE =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlJQkVqQ0J1Z0lCQURBeE1SVXdFd1lEVlFRS0RBeHplWE4wWlcwNmJtOWtaWE14R0RBV0JnTlZCQU1NRDNONQpjM1JsYlRwdWIyUmxPbTl1WlRCWk1CTUdCeXFHU000OUFnRUdDQ3FHU000OUF3RUhBMElBQkxWUDgyQVV5ejYxCmxuMHhMc2dMNUJNcE1EV3VWdkhpYlF1WUdxK3lDanhEbHdWTUw1b0pENTVoUEVnOVJLSGJSOTZ2QTRFcW1SVDkKdDR5WmhTdklib1dnSnpBbEJna3Foa2lHOXcwQkNRNHhHREFXTUJRR0ExVWRFUVFOTUF1Q0EyOXVaWWNFQ2dBQQpBVEFLQmdncWhrak9QUVFEQWdOSEFEQkVBaUJ1bkJDWmd1Qm02SWNoVGg5dEZTMiswRUdTaHhjV0FNVTZLMHR5CmNsbVo2QUlnQ3VjaTA3bmp3TUw0bnRidVMxSWc0QzBQZHdxU0VacTFwVWJVREVRWlVKTT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg=='

const kubed = kubedOfFile()

type Seen = { code: number; message: string; certificate: string; conditions: { type: string; message?: string }[] }

async function ask(method: string, path: string, body?: object): Promise<Seen> {
  const { code, body: said } = await kubed.ask(method, `${CSRS}${path}`, body)
  const { certificate = '', conditions = [] } = typeof said.status === 'object' ? said.status : {}
  return { code, message: said.message ?? '', certificate, conditions }
}

async function approved(name: string, request: string, signerName: string, usages: string[]): Promise<Seen> {
  const metadata = { name }
  const head = { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata }
  const spec = { request, signerName, usages, expirationSeconds: 3600 }
  const made = await ask('POST', '', { ...head, spec })
  if (made.code !== 201) return made
  const conditions = [{ type: 'Approved', status: 'True', reason: 'Test' }]
  const answer = await ask('PUT', `/${name}/approval`, { ...head, spec, status: { conditions } })
  assert.equal(answer.code, 200, answer.message)
  assert.equal(answer.certificate, '', 'the answer to an approval is the approval')
  return ask('GET', `/${name}`)
}

test('an approved request of a client is signed by our authority', async () => {
  const seen = await approved('alice', ALICE, 'kubernetes.io/kube-apiserver-client', ['client auth'])
  const certificate = new X509Certificate(Buffer.from(seen.certificate, 'base64'))
  assert.match(certificate.subject, /O=deployers\nCN=alice/)
  assert.ok(certificate.checkIssued(new X509Certificate(kubed.kubed().caPem)))
  assert.ok(certificate.verify(new X509Certificate(kubed.kubed().caPem).publicKey))
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2'])
  assert.equal(Date.parse(certificate.validTo) - Date.parse(certificate.validFrom), 65 * 60_000)
})

test('a kubelet gets a certificate for the names that it asks for', async () => {
  const usages = ['digital signature', 'server auth']
  const seen = await approved('node', NODE, 'kubernetes.io/kubelet-serving', usages)
  const certificate = new X509Certificate(Buffer.from(seen.certificate, 'base64'))
  assert.equal(certificate.subjectAltName, 'DNS:one, IP Address:10.0.0.1')
})

const refused = [
  {
    it: 'for another use',
    signer: 'kube-apiserver-client',
    usages: ['server auth'],
    why: 'invalid usage for client certificate: server auth',
  },
  {
    it: 'of who is no node',
    signer: 'kubelet-serving',
    usages: ['server auth'],
    why: 'subject organization is not system:nodes',
  },
]
for (const { it, signer, usages, why } of refused)
  test(`an approved request ${it} fails`, async () => {
    const seen = await approved(`bad-${signer}`, ALICE, `kubernetes.io/${signer}`, usages)
    assert.equal(seen.certificate, '')
    assert.deepEqual(
      seen.conditions.map(({ type, message }) => [type, message]),
      [
        ['Approved', undefined],
        ['Failed', why],
      ],
    )
  })

test('requests of other signers are left to them', async () => {
  assert.equal((await approved('other', ALICE, 'example.com/own', ['client auth'])).certificate, '')
})

test('nobody becomes an administrator by a certificate', async () => {
  const { code, message } = await approved('root', ROOT, 'kubernetes.io/kube-apiserver-client', ['client auth'])
  assert.deepEqual(
    [code, message],
    [
      403,
      'certificatesigningrequests.certificates.k8s.io "root" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
    ],
  )
})
