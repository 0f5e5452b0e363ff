/** Lays the API's documentation beside the built page: Swagger UI's own files and our two. */
import { copyFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('..', import.meta.url))
const swagger = dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')))
const target = join(here, '..', 'static', 'docs')

mkdirSync(target, { recursive: true })
for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js', 'LICENSE', 'NOTICE']) {
  copyFileSync(join(swagger, file), join(target, file))
}
for (const file of ['docs.html', 'init.js']) copyFileSync(join(here, 'docs', file), join(target, file))
