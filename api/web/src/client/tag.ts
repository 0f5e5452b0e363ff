/**
 * Tags that are held against the phone (NFC), where the browser reads them: so far Chrome on
 * Android, over HTTPS. Source: https://w3c.github.io/web-nfc/
 */
interface TagRecord {
  recordType: string
  encoding?: string
  data?: DataView
}
interface TagReader extends EventTarget {
  scan(options: { signal: AbortSignal }): Promise<void>
}
interface TagRead extends Event {
  message: { records: readonly TagRecord[] }
}

function reader(): (new () => TagReader) | undefined {
  return (globalThis as unknown as { NDEFReader?: new () => TagReader }).NDEFReader
}

export function readsTags(): boolean {
  return reader() !== undefined
}

/** What is written on a tag, as the code of a label is: its first text or address; '' for none. */
export function codeOn(records: readonly TagRecord[]): string {
  for (const { recordType, encoding, data } of records) {
    if (data === undefined || !['text', 'url', 'absolute-url'].includes(recordType)) continue
    const code = new TextDecoder(recordType === 'text' ? encoding : 'utf-8').decode(data).trim()
    if (code !== '') return code
  }
  return ''
}

/**
 * Every code that is heard goes to `hear`, until `signal`. Rejects where the phone has NFC switched
 * off or the person forbids it.
 */
export async function listenForTags(
  hear: (code: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const Reader = reader()
  if (Reader === undefined) return
  const tags = new Reader()
  tags.addEventListener('reading', (event) => {
    const code = codeOn((event as TagRead).message.records)
    if (code !== '') hear(code)
  })
  await tags.scan({ signal })
}
