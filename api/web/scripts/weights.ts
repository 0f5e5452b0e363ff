/**
 * What a browser loads before the first page is there, packed as the wire has it: printed, and the
 * build fails where it is more than `MOST`. Of a page: the entry, the page, all that the two import
 * at once, and the styles of these.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

/** Bytes. */
const MOST = 350_000
const PAGES = ['OverviewPage', 'WallPage', 'LoginPage']
const IMPORTED = /(?:\bfrom|\bimport)\s*"\.\/([^"]+\.js)"/g

const built = fileURLToPath(new URL('../../static/', import.meta.url))
const assets = readdirSync(`${built}assets`)
const read = (file: string): string => readFileSync(`${built}assets/${file}`, 'utf8')
/** `WallPage` of `WallPage-B1x_3-dk.js`; a hash has eight signs. */
const named = (file: string): string => file.replace(/-.{8}\.\w+$/, '')

function closure(first: readonly string[]): Set<string> {
  const found = new Set<string>()
  const open = [...first]
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (found.has(file)) continue
    found.add(file)
    for (const [, imported = ''] of read(file).matchAll(IMPORTED)) open.push(imported)
  }
  return found
}

const index = readFileSync(`${built}index.html`, 'utf8')
const entry = [...index.matchAll(/assets\/([^"]+\.(?:js|css))"/g)].map(([, file]) => file ?? '')

let worst = 0
for (const page of PAGES) {
  const own = assets.filter((file) => file.endsWith('.js') && named(file) === page)
  if (own.length !== 1) throw new Error(`${page} is ${own.length} files`)
  const scripts = closure([...entry.filter((file) => file.endsWith('.js')), ...own])
  const names = new Set([...scripts].map(named))
  const styles = assets.filter((file) => file.endsWith('.css') && names.has(named(file)))
  const bytes = [...scripts, ...styles].reduce((sum, file) => sum + gzipSync(read(file)).length, 0)
  console.log(`${page}: ${Math.round(bytes / 1000)} kB gzip in ${scripts.size + styles.length} files`)
  worst = Math.max(worst, bytes)
}
if (worst > MOST) {
  console.error(`the first page is to be at most ${MOST / 1000} kB`)
  process.exit(1)
}
