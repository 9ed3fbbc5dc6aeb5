const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const

/** A HealthCheckRequest as it is sent: not compressed, its length, `service` as field 1. */
export function messageOf(service: string): Buffer {
  const name = Buffer.from(service)
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name])
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/** The status in a HealthCheckResponse, field 1; an answer without it means UNKNOWN, as the field's zero is not sent. */
export function statusOf(frame: Buffer): string {
  const message = frame.subarray(5, 5 + (frame.length < 5 ? 0 : frame.readUInt32BE(1)))
  const value = message[0] === 0x08 ? (message[1] ?? 0) : 0
  return STATUSES[value] ?? String(value)
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)]
}
