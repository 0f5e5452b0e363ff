import assert from 'node:assert/strict'
import { test } from 'node:test'

import { csv } from '../src/model/csv.ts'

test('what a spreadsheet would take for a formula stays words (experiment 62)', () => {
  const hostile = ['=cmd|\' /C calc\'!A0', '+1+1', '-2+3', '@SUM(A1)', '\t=1', '\r=1', '\n=1']
  hostile.push('＝1+1', '＋1', '－1', '＠A', ' =1', '\u3000=1', '\u00a0=1', '\ufeff=1', '\u200b=1', "'=1")
  for (const words of hostile) {
    const [, first] = csv([['a'], [words]]).split('\r\n')
    assert.ok(first?.startsWith(`"'${words[0] ?? ''}`), words)
  }
})

test('quotes, commas and breaks stay in their cell, and a number is one', () => {
  assert.equal(csv([['a"b', 'c,d', -1.5, null]]), '\uFEFF"a""b","c,d",-1.5,\r\n')
  assert.equal(csv([['a;=1+1', '']]), '\uFEFF"a;=1+1",\r\n')
  assert.equal(csv([['<script>1</script>']]), '\uFEFF"<script>1</script>"\r\n')
})
