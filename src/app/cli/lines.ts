/**
 * The lines of a stream of bytes, read as they are asked for; a line feed ends one, a carriage return before it is dropped.
 *
 * @param maxLength a longer line is cut there, so that memory stays bounded
 */
export async function* linesOf(stream: AsyncIterable<Uint8Array | string>, maxLength: number): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    const lines = text.split('\n')
    const last = lines.pop() ?? ''
    for (const line of lines) {
      yield (rest + line).slice(0, maxLength).replace(/\r$/, '')
      rest = ''
    }
    rest = (rest + last).slice(0, maxLength)
  }
  if (rest !== '') yield rest
}
