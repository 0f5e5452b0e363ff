import assert from 'node:assert/strict'
import { test } from 'node:test'

import { codeOn, listenForTags, readsTags } from '../src/client/tag.ts'

const written = (words: string): DataView => new DataView(new TextEncoder().encode(words).buffer)

test('the first text or address on a tag is its code', () => {
  const address = { recordType: 'url', data: written('https://duty.example/e/pump-2') }
  assert.equal(codeOn([{ recordType: 'mime', data: written('x') }, address]), 'https://duty.example/e/pump-2')
  assert.equal(codeOn([{ recordType: 'text', encoding: 'utf-8', data: written(' 泵-2 ') }]), '泵-2')
  const wide = new DataView(Uint16Array.from('pump-2', (letter) => letter.charCodeAt(0)).buffer)
  assert.equal(codeOn([{ recordType: 'text', encoding: 'utf-16le', data: wide }]), 'pump-2')
  assert.equal(codeOn([{ recordType: 'empty' }, { recordType: 'text', data: written('  ') }]), '')
})

test('a tag is heard until one listens no more, and an empty one is not', async () => {
  const readers: EventTarget[] = []
  class NDEFReader extends EventTarget {
    scan({ signal }: { signal: AbortSignal }): Promise<void> {
      readers.push(this)
      signal.addEventListener('abort', () => readers.splice(0))
      return Promise.resolve()
    }
  }
  assert.equal(readsTags(), false)
  Object.assign(globalThis, { NDEFReader })
  try {
    assert.equal(readsTags(), true)
    const heard: string[] = []
    const ends = new AbortController()
    await listenForTags((code) => heard.push(code), ends.signal)
    for (const words of ['pump-1', '']) {
      const records = [{ recordType: 'text', data: written(words) }]
      const event = Object.assign(new Event('reading'), { message: { records } })
      for (const one of readers) one.dispatchEvent(event)
    }
    ends.abort()
    assert.deepEqual(heard, ['pump-1'])
    assert.deepEqual(readers, [])
  } finally {
    Reflect.deleteProperty(globalThis, 'NDEFReader')
  }
})
