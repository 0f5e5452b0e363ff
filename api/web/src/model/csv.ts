/** Tables as files for a spreadsheet. */

/**
 * What a spreadsheet would take for a formula: signs of both widths, behind what it or an eye passes
 * over. The same as `gateway/files/spreadsheet.py`.
 */
const FORMULA = /^'*([\s\0\u200b-\u200f\u2060]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])/

function cell(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  if (value === '') return ''
  const inert = FORMULA.test(value) ? `'${value}` : value
  // In quotes, for spreadsheets try other separators too.
  return `"${inert.replaceAll('"', '""')}"`
}

/** With the mark by which spreadsheets know UTF-8; words that look like a formula stay words. */
export function csv(rows: readonly (readonly (string | number | null)[])[]): string {
  return `\uFEFF${rows.map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`
}

/** Give `text` to the browser as a file. */
export function download(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }))
  const link = Object.assign(document.createElement('a'), { href: address, download: name })
  link.click()
  URL.revokeObjectURL(address)
}
