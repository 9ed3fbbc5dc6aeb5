/** Makes what belongs to a key once; all is forgotten at once when there are more than `most`, as keys may be anybody's. What throws is made again. */
export function remember<Made>(most: number, make: (key: string) => Made): (key: string) => Made {
  const known = new Map<string, Made>()
  return (key) => {
    const found = known.get(key)
    if (found !== undefined || known.has(key)) return found as Made
    const made = make(key)
    if (known.size >= most) known.clear()
    known.set(key, made)
    return made
  }
}
