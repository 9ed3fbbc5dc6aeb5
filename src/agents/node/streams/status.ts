/** How a remote command ended, as the last word to the client. @see k8s.io/apimachinery metav1.Status */
export type CommandStatus = {
  readonly metadata: Readonly<Record<string, never>>
  readonly status: 'Success' | 'Failure'
  readonly message?: string
  readonly reason?: string
  readonly details?: { readonly causes: readonly { readonly reason: string; readonly message: string }[] }
  readonly code?: number
}

/** The program ended with 0, or the client was let go. */
export const SUCCESS: CommandStatus = { metadata: {}, status: 'Success' }

/** The program ended with another code; clients look for the cause `ExitCode`. */
export function exitStatus(command: readonly string[], code: number): CommandStatus {
  if (code === 0) return SUCCESS
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: error executing command [${command.join(' ')}], exit code ${code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  }
}

/** The program could not be run. */
export function failedStatus(why: string): CommandStatus {
  return {
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${why}`,
    reason: 'InternalError',
    details: { causes: [{ reason: '', message: why }] },
    code: 500,
  }
}

/** What is sent: version 4 and later send the whole status, older ones the text of a failure. */
export function renderStatus(status: CommandStatus, protocol: string): string {
  if (/^v[45]\./.test(protocol)) return JSON.stringify(status)
  return status.status === 'Success' ? '' : (status.message ?? '')
}
