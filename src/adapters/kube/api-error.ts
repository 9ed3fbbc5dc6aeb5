/** What the API server answered when it refused: its `Status` object, HTTP code and reason kept. */
export class ApiError extends Error {
  /** HTTP status. */
  readonly status: number
  /** `NotFound`, `Conflict`, `Invalid`, `AlreadyExists`, `Forbidden`, … */
  readonly reason: string
  readonly details: unknown

  constructor(status: number, reason: string, message: string, details?: unknown) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.reason = reason
    this.details = details
  }
}
