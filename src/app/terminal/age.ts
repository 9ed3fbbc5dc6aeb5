/** How long ago, as kubectl writes it: `45s`, `12m`, `3h`, `2d`. */
export function renderAge(sinceIso: string | null | undefined, nowMs: number): string {
  if (!sinceIso) return '<unknown>'
  const seconds = Math.max(0, Math.floor((nowMs - Date.parse(sinceIso)) / 1000))
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 120) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`
}
