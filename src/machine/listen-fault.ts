import { SluiceError } from '../lib/error/sluice-error.ts'

/** Why nothing can be served at an address (`host:port`), told with what to do; what the system says else stays as it is. */
export function listenFault(address: string, cause: NodeJS.ErrnoException): Error {
  const [code, why, hint] = FAULTS[cause.code ?? ''] ?? []
  if (code === undefined) return cause
  return new SluiceError(code, `${address} ${why}`, { where: address, hint, cause })
}

const FAULTS: Readonly<Record<string, readonly ['PORT_IN_USE' | 'PORT_REFUSED', why: string, hint: string]>> = {
  EADDRINUSE: [
    'PORT_IN_USE',
    'is in use by another program',
    'stop that program, or choose another port, or 0 for a free one',
  ],
  EACCES: [
    'PORT_REFUSED',
    'may not be listened on by this user',
    'choose a port from 1024 on: those below are for root',
  ],
  EADDRNOTAVAIL: ['PORT_REFUSED', 'is no address of this machine', 'choose one that it has (ip address), or 127.0.0.1'],
  EAFNOSUPPORT: [
    'PORT_REFUSED',
    'is of a kind that this machine does not speak',
    'choose an IPv4 address, or switch IPv6 on',
  ],
  ENOTFOUND: ['PORT_REFUSED', 'is a name that is unknown here', 'choose an address of this machine (ip address)'],
}
