import { statfs } from 'node:fs/promises'

/** How much this user may still write on the disk of a folder; what the file system reserves for root counts for root alone. */
export async function freeBytes(folder: string): Promise<number> {
  const { bsize, bavail, bfree } = await statfs(folder)
  return bsize * (process.getuid?.() === 0 ? bfree : bavail)
}
