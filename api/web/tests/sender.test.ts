import assert from 'node:assert/strict'
import { test } from 'node:test'

import { alone } from '../src/phone/alone.ts'
import { ShortKeeper } from '../src/phone/keeper.ts'
import { isOnlyHere, type Entry, type Photo } from '../src/phone/queue.ts'
import { Sender, type Server } from '../src/phone/sender.ts'
import { entry, photo } from './phoneEntries.ts'

/** A server that keeps every id it was sent; `fail` is what it does in the place of answering. */
class Heard implements Server {
  readonly ids: string[] = []
  readonly batches: string[][] = []
  fail: (ids: string[]) => void = () => undefined

  async entries(_by: string, entries: readonly Entry[]): ReturnType<Server['entries']> {
    const said = entries.map(({ id }) => id)
    this.batches.push(said)
    const results = said.map((id) => ({
      id,
      outcome: this.ids.includes(id) ? ('known' as const) : ('applied' as const),
      first: 'applied' as const,
    }))
    this.ids.push(...said.filter((id) => !this.ids.includes(id)))
    this.fail(said)
    return { received_at: '2026-11-21T10:00:00.000Z', results }
  }

  async photo(one: Photo): ReturnType<Server['photo']> {
    this.fail([one.id])
    return { received_at: '2026-11-21T10:00:00.000Z', result: { id: one.id, outcome: 'applied' } }
  }
}

function failing(status: number, kind = ''): () => never {
  return () => {
    throw Object.assign(new Error('no'), { status, kind })
  }
}

async function kept(...entries: Entry[]): Promise<ShortKeeper> {
  const keeper = new ShortKeeper()
  for (const one of entries) await keeper.add(one, null)
  return keeper
}

test('after a lost answer the same ids go again, and are taken once', async () => {
  const keeper = await kept(entry({ id: 'a' }), entry({ id: 'b', item: 'tank' }))
  const server = new Heard()
  const sender = new Sender(keeper, server)
  server.fail = failing(0)
  assert.equal(await sender.pass('li'), 'later')
  assert.deepEqual((await keeper.entries('li')).map(({ state }) => state), ['waiting', 'waiting'])
  server.fail = () => undefined
  assert.equal(await sender.pass('li'), 'empty')
  assert.deepEqual(server.batches, [['a', 'b'], ['a', 'b']])
  assert.deepEqual(server.ids, ['a', 'b'])
  assert.deepEqual((await keeper.entries('li')).map(({ state }) => state), ['sent', 'sent'])
})

test('nobody sends what another one has written', async () => {
  const keeper = await kept(entry({ id: 'a' }), entry({ id: 'w', by: 'wang' }))
  const server = new Heard()
  assert.equal(await new Sender(keeper, server).pass('wang'), 'empty')
  assert.deepEqual(server.ids, ['w'])
  assert.equal(await keeper.others('wang'), 1)
  server.fail = failing(409, 'other-person')
  assert.equal(await new Sender(keeper, server).pass('li'), 'stranger')
  assert.equal((await keeper.entries('li'))[0]?.state, 'waiting')
})

test('one that is not understood holds up nobody else, and is told', async () => {
  const keeper = await kept(entry({ id: 'a' }), entry({ id: 'bad' }), entry({ id: 'c' }))
  const server = new Heard()
  server.fail = (said) => {
    if (said.includes('bad')) failing(422)()
  }
  assert.equal(await new Sender(keeper, server).pass('li'), 'empty')
  const stand = (await keeper.entries('li')).map(({ id, state }) => [id, state])
  assert.deepEqual(stand, [['a', 'sent'], ['bad', 'refused'], ['c', 'sent']])
  // The server has not kept it, and whoever puts it aside knows that.
  assert.deepEqual((await keeper.entries('li')).map(isOnlyHere), [false, true, false])
})

test('nothing is given up because of who sends it, or because the server is in trouble', async () => {
  const keeper = await kept(entry({ id: 'a' }))
  const server = new Heard()
  for (const status of [401, 403, 409, 429, 500, 502, 503, 507]) {
    server.fail = failing(status)
    const sender = new Sender(keeper, server)
    assert.equal(await sender.pass('li'), status === 401 ? 'stranger' : 'later')
    assert.equal(sender.status, status)
    assert.equal((await keeper.entries('li'))[0]?.state, 'waiting')
  }
})

test('an answer that is exchanged just before it goes out does not go out', async () => {
  const keeper = await kept(entry({ id: 'a' }))
  const server = new Heard()
  const read = keeper.entries.bind(keeper)
  keeper.entries = async (by) => {
    const found = await read(by)
    keeper.entries = read
    await keeper.add(entry({ id: 'b', body: { item: 'noise', value: false } }), 'a')
    return found
  }
  assert.equal(await new Sender(keeper, server).pass('li'), 'empty')
  assert.deepEqual(server.ids, ['b'])
  // And another person's is never exchanged.
  await keeper.add(entry({ id: 'c' }), null)
  await keeper.add(entry({ id: 'd', by: 'wang' }), 'c')
  assert.equal((await keeper.entries('li')).some(({ id }) => id === 'c'), true)
})

test('one tab sends at a time, and one that is held still keeps the others from nothing', async () => {
  const order: string[] = []
  let held: Promise<unknown> = Promise.resolve()
  const locks = {
    request: (_name: string, { signal }: LockOptions, work: () => Promise<string>) => {
      const late = new Promise((_, no) => signal?.addEventListener('abort', () => no(new Error('late'))))
      return (held = Promise.race([held, late]).then(work))
    },
  } as unknown as LockManager
  const work = (name: string) => async () => {
    order.push(`${name} begins`)
    await null
    order.push(`${name} ends`)
    return name
  }
  const both = [alone(work('one'), locks), alone(work('two'), locks)]
  assert.deepEqual(await Promise.all(both), ['one', 'two'])
  assert.deepEqual(order, ['one begins', 'one ends', 'two begins', 'two ends'])
  held = new Promise(() => undefined)
  assert.equal(await alone(work('three'), locks, 1), 'three')
  assert.equal(await alone(work('four'), undefined), 'four')
  held = Promise.resolve()
  await assert.rejects(alone(() => Promise.reject(new Error('its own')), locks), /its own/)
})

test('a photograph waits for signal and is refused for good only by an answer', async () => {
  const keeper = new ShortKeeper()
  await keeper.addPhoto(photo(), new Blob(['x']))
  const server = new Heard()
  for (const status of [0, 503, 507, 429]) {
    server.fail = failing(status)
    assert.equal(await new Sender(keeper, server).pass('li'), 'later')
  }
  server.fail = failing(422)
  assert.equal(await new Sender(keeper, server).pass('li'), 'empty')
  assert.equal((await keeper.photos('li'))[0]?.state, 'refused')
})

test('a photograph over which the server stumbles holds up no other one', async () => {
  const keeper = new ShortKeeper()
  for (const id of ['bad', 'good']) await keeper.addPhoto(photo({ id }), new Blob(['x']))
  const server = new Heard()
  for (const status of [500, 409]) {
    server.fail = ([id]) => {
      if (id === 'bad') failing(status)()
    }
    assert.equal(await new Sender(keeper, server).pass('li'), 'later')
    assert.deepEqual((await keeper.photos('li')).map(({ state }) => state), ['waiting', 'sent'])
  }
})

test('an entry that the server leaves out is not sent round and round', async () => {
  const keeper = await kept(entry())
  const silent: Server = {
    entries: async () => ({ received_at: '2026-11-21T10:00:00.000Z', results: [] }),
    photo: new Heard().photo,
  }
  assert.equal(await new Sender(keeper, silent).pass('li'), 'later')
})
