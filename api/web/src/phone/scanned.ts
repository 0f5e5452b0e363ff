/** What the code on a label says. */

/** Any sign may hang anywhere: what is no encoding stands as it is. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** The code itself, or the last part of the address that it holds. */
export function codeOf(scanned: string): string {
  const path = scanned.trim().replace(/[?#].*$/, '')
  return decoded(path.split('/').filter(Boolean).at(-1) ?? '')
}

/** The equipment on whose label it stands; null: it is another kind of code. */
export function equipmentOf(scanned: string): string | null {
  const found = /\/e\/([^/?#]+)/.exec(scanned.trim())?.[1]
  return found === undefined ? null : decoded(found)
}
