/** What a table holds under a key that somebody else chose: `constructor` and the like are in no table. */
export function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}
