/** A container's log: takes what it prints, keeps lines with their time. */
export type ContainerLog = {
  readonly write: (stream: 'stdout' | 'stderr', chunk: Buffer) => void
  readonly end: () => void
}

/**
 * Opens a log file in the form that container runtimes keep (`TIME STREAM F|P TEXT`); when it is larger than `limitBytes` it becomes `PATH.1`
 * and a new one is begun. Runs inside the keeper: uses nothing of this module's surroundings.
 *
 * A full disk loses lines, never the container.
 */
export function openLog(path: string, limitBytes: number): ContainerLog {
  const fs = process.getBuiltinModule('node:fs')
  const rest = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }
  let file = fs.openSync(path, 'a', 0o640)
  let size = fs.fstatSync(file).size
  const put = (stream: string, tag: string, line: Buffer, stamp: string): void => {
    const text = Buffer.concat([Buffer.from(`${stamp} ${stream} ${tag} `), line, Buffer.from('\n')])
    try {
      if (size + text.length > limitBytes) {
        fs.closeSync(file)
        fs.renameSync(path, `${path}.1`)
        file = fs.openSync(path, 'a', 0o640)
        size = 0
      }
      fs.writeSync(file, text)
      size += text.length
    } catch {
      // no room: the line is lost, the container goes on
    }
  }
  return {
    write(stream, chunk) {
      const stamp = new Date().toISOString().replace('Z', '000000Z')
      let text = rest[stream].length > 0 ? Buffer.concat([rest[stream], chunk]) : chunk
      for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10)) {
        put(stream, 'F', text.subarray(0, end), stamp)
        text = text.subarray(end + 1)
      }
      for (; text.length > 16_384; text = text.subarray(16_384)) put(stream, 'P', text.subarray(0, 16_384), stamp)
      rest[stream] = Buffer.from(text)
    },
    end() {
      const stamp = new Date().toISOString().replace('Z', '000000Z')
      for (const stream of ['stdout', 'stderr'] as const)
        if (rest[stream].length > 0) put(stream, 'F', rest[stream], stamp)
      rest.stdout = rest.stderr = Buffer.alloc(0)
      try {
        fs.closeSync(file)
      } catch {
        // closed already after a full disk
      }
    },
  }
}
