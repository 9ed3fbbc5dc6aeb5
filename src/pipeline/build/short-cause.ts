const FOLDER =
  /accumulating resources: accumulation err='accumulating resources from '[^']*': read [^:]*: is a directory': recursed accumulation of path '[^']*': /g
const PLACED = /^\S+:\d+(?::\d+)?: /

/**
 * What is wrong with a build, without the folders that kustomize went through on the way to it; for people, who read the file and the line
 * before it.
 */
export function shortBuildCause(message: string): string {
  const text = message.replace(FOLDER, '')
  const place = PLACED.exec(text)?.[0]
  if (place === undefined) return text
  const rest = text.slice(place.length).replace(/^kustomize build failed: /, '')
  return place + rest.replace(/^accumulating resources: accumulating resources from '[^']*': /, '')
}
