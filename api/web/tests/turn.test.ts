import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { Turn } from '../src/client/turn.ts'

test('of three tabs one has the turn, and the next takes it when that goes', async () => {
  const tabs = ['a', 'b', 'c'].map(() => new Turn('turn of the test', () => undefined))
  const holders = (): number[] => tabs.flatMap(({ mine }, index) => (mine ? [index] : []))
  /** The only one that has it, when all have heard of that. */
  async function holder(): Promise<number> {
    for (let tries = 0; tries < 100; tries += 1) {
      await sleep(100)
      const [first = -1, ...more] = holders()
      const heard = tabs.every(({ mine, others }) => mine !== others)
      if (first >= 0 && more.length === 0 && heard) return first
    }
    throw new Error(`held by ${holders().join()}`)
  }
  try {
    // The browser keeps the first silent: it leaves the turn to who can.
    tabs[1]?.can(true)
    tabs[2]?.can(true)
    const first = await holder()
    assert.ok(first > 0)
    tabs[first]?.can(false)
    assert.equal(tabs[first]?.mine, false)
    assert.equal(await holder(), 3 - first)
  } finally {
    for (const tab of tabs) tab.close()
  }
})
