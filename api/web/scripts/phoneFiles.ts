/**
 * Which files of the build the phone's pages need: what the service worker is to keep. A phone in
 * a basement does not carry the charts and the forms of the office.
 */
import type { Plugin, Rollup } from 'vite'

export interface PhoneFiles {
  plugin: Plugin
  /** Whether `file`, a path inside the build, is one of them; known once the bundle is made. */
  has(file: string): boolean
}

/** Everything that is no chunk and is needed to begin. */
const SHELL = /^(index\.html|manifest\.webmanifest|favicon\.svg|icons\/.*\.(svg|png))$/

/** From `index.html` along every import, into pages that are loaded later only where `isPhone`. */
export function phoneFiles(isPhone: (module: string) => boolean): PhoneFiles {
  const found = new Set<string>()

  function follow(bundle: Rollup.OutputBundle, file: string): void {
    const chunk = bundle[file]
    if (found.has(file) || chunk?.type !== 'chunk') return
    found.add(file)
    for (const style of chunk.viteMetadata?.importedCss ?? []) found.add(style)
    for (const asset of chunk.viteMetadata?.importedAssets ?? []) found.add(asset)
    for (const next of chunk.imports) follow(bundle, next)
    for (const later of chunk.dynamicImports) {
      const page = bundle[later]
      if (page?.type === 'chunk' && isPhone(page.facadeModuleId ?? '')) follow(bundle, later)
    }
  }

  return {
    plugin: {
      name: 'dutyroom-phone-files',
      apply: 'build',
      generateBundle(_options, bundle) {
        for (const [file, part] of Object.entries(bundle)) {
          if (part.type === 'chunk' && part.isEntry) follow(bundle, file)
        }
      },
    },
    has: (file) => SHELL.test(file) || found.has(file),
  }
}
