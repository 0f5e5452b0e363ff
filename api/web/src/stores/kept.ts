/** What this browser keeps of its user's likes. Storage may be forbidden; the page works without. */

export function recalled(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

/** Null: as if it had never been chosen. */
export function keep(key: string, word: string | null): void {
  try {
    if (word === null) localStorage.removeItem(key)
    else localStorage.setItem(key, word)
  } catch {
    return
  }
}
