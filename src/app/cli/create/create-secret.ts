import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { Io } from '../command.ts'

/** A Secret as `flux create secret` makes it. */
export type MadeSecret = {
  readonly type?: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly stringData: Readonly<Record<string, string>>
}

/** A form of Secret: its flags (true: may be given more than once), and what is made of them. */
export type SecretForm = {
  readonly flags: Readonly<Record<string, boolean>>
  readonly make: (given: Given, name: string, namespace: string) => MadeSecret
}

/** What the flags say. */
export type Given = {
  readonly text: (flag: string) => string
  readonly list: (flag: string) => readonly string[]
  /** The contents of the file that a flag names; '' when it names none. */
  readonly file: (flag: string) => string
  /** The contents of a file. */
  readonly read: (path: string) => string
}

const OPAQUE = 'Opaque'
const LOGIN = { username: false, password: false }
const TLS = { 'ca-crt-file': false, 'tls-crt-file': false, 'tls-key-file': false }
const RECEIVERS = 'generic generic-hmac github gitlab bitbucket harbor dockerhub quay gcr nexus acr cdevents'.split(' ')

/** The Secrets that Flux's objects name, by the word behind `create secret`. */
export const SECRET_FORMS: Readonly<Record<string, SecretForm>> = {
  git: {
    flags: { ...LOGIN, url: false, 'bearer-token': false, 'ca-crt-file': false, 'private-key-file': false },
    make: gitSecret,
  },
  helm: {
    flags: { ...LOGIN, ...TLS },
    make: helmSecret,
  },
  oci: { flags: { ...LOGIN, url: false }, make: pullSecret },
  tls: { flags: TLS, make: tlsSecret },
  proxy: {
    flags: { ...LOGIN, address: false },
    make: (given) => ({ type: OPAQUE, stringData: { address: need(given, 'address', 'address'), ...loginOf(given) } }),
  },
  receiver: {
    flags: { token: false, type: false, hostname: false, 'email-claim': false, 'audience-claim': false },
    make: receiverSecret,
  },
  githubapp: {
    flags: {
      ...{ 'app-id': false, 'app-installation-id': false, 'app-installation-owner': false },
      ...{ 'app-private-key': false, 'app-base-url': false },
    },
    make: githubSecret,
  },
  notation: { flags: { 'trust-policy-file': false, 'ca-cert-file': true }, make: notationSecret },
}

/** Reads flags for a form of Secret; files are found from where the command runs. */
export function givenFrom(values: Readonly<Record<string, unknown>>, { cwd }: Io): Given {
  const list = (flag: string): readonly string[] => {
    const value = values[flag]
    return value === undefined ? [] : [value].flat().map(String)
  }
  const text = (flag: string): string => list(flag)[0] ?? ''
  const read = (path: string): string => readGiven(cwd, path)
  return { text, list, read, file: (flag) => (text(flag) === '' ? '' : read(text(flag))) }
}

function readGiven(cwd: string, path: string): string {
  try {
    return readFileSync(resolve(cwd, path), 'utf8')
  } catch (cause) {
    throw usage(`unable to read "${path}": ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

function gitSecret(given: Given): MadeSecret {
  const url = need(given, 'url')
  const scheme = URL.canParse(url) ? new URL(url).protocol.slice(0, -1) : ''
  if (scheme === 'ssh')
    throw usage(
      'keys for SSH are not made here: make the Secret with "identity" and "known_hosts" by kubectl create secret generic',
    )
  if (scheme !== 'http' && scheme !== 'https')
    throw usage(`git URL scheme '${scheme}' not supported, can be: ssh, http and https`)
  const bearer = given.text('bearer-token')
  if (bearer === '' && (given.text('username') === '' || given.text('password') === ''))
    throw usage('for Git over HTTP/S the username and password, or a bearer token is required')
  const authority = given.file('ca-crt-file')
  return {
    stringData: {
      ...(bearer === '' ? loginOf(given) : { bearerToken: bearer }),
      ...(authority === '' ? {} : { 'ca.crt': authority }),
    },
  }
}

function helmSecret(given: Given): MadeSecret {
  const login = loginOf(given)
  const tls = tlsOf(given)
  const type = Object.keys(login).length > 0 ? 'kubernetes.io/basic-auth' : tlsType(tls)
  return { ...(type === undefined ? {} : { type }), stringData: { ...login, ...tls } }
}

function pullSecret(given: Given): MadeSecret {
  const url = need(given, 'url')
  const [username, password] = [need(given, 'username'), need(given, 'password')]
  const auth = Buffer.from(`${username}:${password}`).toString('base64')
  const config = { auths: { [url]: { username, password, auth } } }
  return {
    type: 'kubernetes.io/dockerconfigjson',
    stringData: { '.dockerconfigjson': JSON.stringify(config, null, 2) },
  }
}

function tlsSecret(given: Given): MadeSecret {
  const stringData = tlsOf(given)
  const type = tlsType(stringData)
  if (type === undefined) throw usage('no CA certificate or client certificate pair found')
  return { type, stringData }
}

function tlsType(data: Readonly<Record<string, string>>): string | undefined {
  if ('tls.crt' in data) return 'kubernetes.io/tls'
  return 'ca.crt' in data ? OPAQUE : undefined
}

function receiverSecret(given: Given, name: string, namespace: string): MadeSecret {
  const type = need(given, 'type')
  if (!RECEIVERS.includes(type))
    throw usage(`receiver type '${type}' is not supported, can be: ${RECEIVERS.join(', ')}`)
  const hostname = need(given, 'hostname')
  const email = type === 'gcr' ? need(given, 'email-claim') : ''
  const token = given.text('token') || randomBytes(32).toString('hex')
  const hash = createHash('sha256').update(`${token}${name}${namespace}`).digest('hex')
  const webhook = `https://${hostname}/hook/${hash}`
  return {
    annotations: { 'notification.toolkit.fluxcd.io/webhook': webhook },
    stringData: {
      token,
      ...(type === 'gcr' ? { audience: given.text('audience-claim') || webhook, email } : {}),
    },
  }
}

function githubSecret(given: Given): MadeSecret {
  const owner = given.text('app-installation-owner')
  const base = given.text('app-base-url')
  const installation = given.text('app-installation-id')
  need(given, 'app-private-key')
  if ((owner === '') === (installation === ''))
    throw usage('exactly one of githubAppInstallationOwner or githubAppInstallationID must be provided')
  return {
    type: OPAQUE,
    stringData: {
      githubAppID: need(given, 'app-id'),
      ...(owner === '' ? { githubAppInstallationID: installation } : { githubAppInstallationOwner: owner }),
      githubAppPrivateKey: given.file('app-private-key'),
      ...(base === '' ? {} : { githubAppBaseURL: base }),
    },
  }
}

function notationSecret(given: Given): MadeSecret {
  const policy = given.file('trust-policy-file')
  if (policy === '') throw usage('--trust-policy-file is required')
  const certificates = given.list('ca-cert-file').flatMap((word) => word.split(','))
  if (certificates.length === 0) throw usage('--ca-cert-file is required')
  const authorities = certificates.map((path) => [basename(path), given.read(path)] as const)
  return { stringData: { ...Object.fromEntries(authorities), 'trustpolicy.json': policy } }
}

function loginOf(given: Given): Readonly<Record<string, string>> {
  const [username, password] = [given.text('username'), given.text('password')]
  return { ...(username === '' ? {} : { username }), ...(password === '' ? {} : { password }) }
}

function tlsOf(given: Given): Readonly<Record<string, string>> {
  const [authority, certificate, key] = [
    given.file('ca-crt-file'),
    given.file('tls-crt-file'),
    given.file('tls-key-file'),
  ]
  if (certificate !== '' && key === '') throw usage('found certificate but missing private key')
  if (certificate === '' && key !== '') throw usage('found private key but missing certificate')
  return {
    ...(authority === '' ? {} : { 'ca.crt': authority }),
    ...(certificate === '' ? {} : { 'tls.crt': certificate, 'tls.key': key }),
  }
}

function need(given: Given, flag: string, shown = `--${flag}`): string {
  const text = given.text(flag)
  if (text === '') throw usage(`${shown} is required`)
  return text
}

function usage(message: string): SluiceError {
  return new SluiceError('USAGE', message)
}
