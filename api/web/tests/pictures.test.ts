import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fitted, MOST_BYTES, wrongWith } from '../src/model/pictures.ts'

test('a large photograph is made smaller, upright and lying, and a small one is left', () => {
  assert.deepEqual(fitted(4000, 3000), { width: 1600, height: 1200 })
  assert.deepEqual(fitted(3000, 4000), { width: 1200, height: 1600 })
  assert.deepEqual(fitted(800, 600), { width: 800, height: 600 })
  assert.deepEqual(fitted(16000, 2), { width: 1600, height: 1 })
})

test('a picture that the server would not take is known while the lens is still before it', async () => {
  const jpeg = [0xff, 0xd8, 0xff, 0xe0]
  assert.equal(await wrongWith(new Blob([new Uint8Array(jpeg)])), null)
  assert.equal(await wrongWith(new Blob(['RIFF....WEBPVP8 '])), null)
  // As an iPhone keeps them, where the browser could not draw it as a JPEG.
  assert.equal(await wrongWith(new Blob(['\0\0\0\x18ftypheic'])), 'unreadable')
  assert.equal(await wrongWith(new Blob([])), 'unreadable')
  const large = new Uint8Array(MOST_BYTES + 1)
  large.set(jpeg)
  assert.equal(await wrongWith(new Blob([large])), 'large')
})
