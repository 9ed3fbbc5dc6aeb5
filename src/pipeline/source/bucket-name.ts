const ADDRESS = /^(\d+\.){3}\d+$/
const ALLOWED = /^[A-Za-z0-9][A-Za-z0-9._:-]{1,61}[A-Za-z0-9]$/

/** Pure. What is wrong with the name of a bucket, in the words of Flux's S3 library; undefined for a good one. */
export function bucketNameFault(name: string): string | undefined {
  if (name.trim() === '') return 'Bucket name cannot be empty'
  if (name.length < 3) return 'Bucket name cannot be shorter than 3 characters'
  if (name.length > 63) return 'Bucket name cannot be longer than 63 characters'
  if (ADDRESS.test(name)) return 'Bucket name cannot be an ip address'
  if (/\.\.|\.-|-\./.test(name) || !ALLOWED.test(name)) return 'Bucket name contains invalid characters'
  return undefined
}
