/** Whether the server has another page by now than the one that runs here. */

const ENTRY = /<script[^>]+type="module"[^>]+src="([^"]+)"/

/** The script that a page begins with; its name has a hash of all of it. Null: it is no page. */
export function entryOf(html: string): string | null {
  return ENTRY.exec(html)?.[1] ?? null
}

/** The entry of the page that the server has now; null where it cannot be known. */
async function newestEntry(): Promise<string | null> {
  try {
    const answer = await fetch('/', { headers: { Accept: 'text/html' }, cache: 'no-store' })
    return answer.ok ? entryOf(await answer.text()) : null
  } catch {
    return null
  }
}

/** The entry of the page that runs here. */
function ownEntry(): string | null {
  return document.querySelector('script[type=module][src]')?.getAttribute('src') ?? null
}

/** The entry of the server's page where that is another than the one that runs here; else null. */
export async function newerEntry(): Promise<string | null> {
  const [newest, own] = [await newestEntry(), ownEntry()]
  return own === null || newest === own ? null : newest
}
