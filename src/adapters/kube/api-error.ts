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

/** Whether the API server refused what it was asked, and will again (a right that we lack); not so where somebody was faster, or it has trouble of its own. */
export function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status < 500 && error.status !== 409 && error.status !== 429
}
