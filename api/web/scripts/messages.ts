/**
 * Fails when a message is missing in a language, has other placeholders there, is asked for but
 * not there, or is there but never asked for.
 *
 * A key counts as asked for when it stands in quotes anywhere in the source, or matches a
 * template such as `alarm.state.${…}`.
 */
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

type Messages = { [key: string]: string | Messages }

const source = fileURLToPath(new URL('../src/', import.meta.url))

function flat(messages: Messages, prefix = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, message] of Object.entries(messages)) {
    if (typeof message === 'string') found.set(prefix + key, message)
    else for (const [name, text] of flat(message, `${prefix}${key}.`)) found.set(name, text)
  }
  return found
}

function language(name: string): Map<string, string> {
  return flat(JSON.parse(readFileSync(`${source}words/${name}.json`, 'utf8')) as Messages)
}

function placeholders(message: string): string {
  return [...message.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort().join()
}

const languages = { zh: language('zh'), en: language('en') }
const keys = new Set([...languages.zh.keys(), ...languages.en.keys()])
const code = globSync('**/*.{ts,vue}', { cwd: source, exclude: ['client/schema.d.ts'] })
  .map((file) => readFileSync(source + file, 'utf8'))
  .join('\n')

const asked = [...code.matchAll(/\bte?\(\s*'([^']+)'/g)].map(([, key]) => key ?? '')
const quoted = new Set([...code.matchAll(/'([a-z][\w.]*)'/gi)].map(([, key]) => key))
const templates = [...code.matchAll(/`([a-z]\w*\.[\w.]*)\$\{[^`]*`/gi)].map(([, start]) => start)
const askedTemplates = [...code.matchAll(/\bte?\(\s*`([a-z]\w*\.[\w.]*)\$\{/gi)].map(([, start]) => start)

const wrong: string[] = []
for (const key of keys) {
  const zh = languages.zh.get(key)
  const en = languages.en.get(key)
  if (zh === undefined) wrong.push(`${key}: missing in zh.json`)
  else if (en === undefined) wrong.push(`${key}: missing in en.json`)
  else if (placeholders(zh) !== placeholders(en)) wrong.push(`${key}: other placeholders in en.json`)
  // vue-i18n would take them for a link and for a choice of forms.
  if (/[@|]/.test(`${zh}${en}`)) wrong.push(`${key}: has @ or |`)
  if (!quoted.has(key) && !templates.some((start) => start && key.startsWith(start))) {
    wrong.push(`${key}: never asked for`)
  }
}
for (const key of asked) if (!keys.has(key)) wrong.push(`${key}: asked for, but not there`)
for (const start of askedTemplates) {
  if (start && ![...keys].some((key) => key.startsWith(start))) {
    wrong.push(`${start}…: asked for, but nothing there begins so`)
  }
}

if (wrong.length > 0) {
  console.error(wrong.join('\n'))
  process.exit(1)
}
