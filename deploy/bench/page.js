// Runs in the page before anything of its own. What it hears and when that is drawn, and a shift
// of eight hours: a second of the page's own clock at a time (Playwright turns it), with everything
// that changes in a duty room. `window.bench` is what page.py asks.
(() => {
  const bench = {
    /** ms since the navigation began; null: what `wanted` asks for is not drawn yet. */
    usable: null,
    wanted: null,
    /** ms of each round of readings: since the server made it, and since the page heard it. */
    rounds: [],
    points: 0,
    /** The stream that the shift speaks on; null: the page is opening another. */
    held: null,
    /** s of the shift that have gone by; while another stream is being opened, none do. */
    second: 0,
  }
  window.bench = bench

  const afterFrame = (then) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = then
    requestAnimationFrame(() => port2.postMessage(0))
  }

  new MutationObserver((_, observer) => {
    if (bench.wanted === null || !bench.wanted.every((one) => document.querySelector(one))) return
    observer.disconnect()
    afterFrame(() => {
      bench.usable = performance.now()
    })
  }).observe(document, { subtree: true, childList: true, attributes: true })

  /** Each point's value, as this stream began. */
  let known = {}
  let shifting = false
  const Real = window.EventSource
  window.EventSource = class extends Real {
    constructor(address) {
      super(address)
      bench.source = this
      // It comes behind every reading.
      this.addEventListener('snapshot', () => {
        if (shifting) hold(this)
      })
      this.addEventListener('readings', ({ data }) => {
        if (bench.held === this) return
        const heard = performance.now()
        const { now, every, good, readings } = JSON.parse(data)
        const values = Object.assign({}, ...good.map((some) => some.values))
        if (every) {
          const others = Object.entries(readings).map(([point, { value }]) => [point, value ?? 0])
          known = { ...values, ...Object.fromEntries(others) }
        }
        if (shifting) return
        bench.points = Object.keys(values).length + Object.keys(readings).length
        afterFrame(() => bench.rounds.push([Date.now() - Date.parse(now), performance.now() - heard]))
      })
    }
  }

  /** From here on nothing comes by wire: the shift says it. */
  function hold(source) {
    source.close()
    bench.held = source
  }

  // --- the shift ---

  const ROUND = 5
  const SHARE = 5
  const EVERY = 300
  const STEPS = { raise: 0, order: 20, acknowledge: 60, accept: 120, clear: 480, close: 600, done: 700 }
  const CHANGED = 120
  const BREAK = 1800
  const KINDS = ['round', 'roster', 'planned_test', 'aside', 'shift', 'register', 'plan']

  bench.begin = (templates) => {
    shifting = true
    hold(bench.source)
    const things = [...new Set(Object.keys(known).map((id) => id.split('.')[0]))]
    setInterval(() => {
      if (bench.held === null) return
      const second = (bench.second += 1)
      if (second % ROUND === 0) readings(second / ROUND)
      for (const [step, after] of Object.entries(STEPS)) {
        if (second >= after && (second - after) % EVERY === 0) {
          happen(step, (second - after) / EVERY, things, templates)
        }
      }
      if (second % CHANGED === 0) {
        const kind = KINDS[(second / CHANGED) % KINDS.length]
        say('changed', { kind, subject: `bench-${second}` })
      }
      // In the middle between two looks at the heap.
      if (second % BREAK === BREAK / 2) {
        const { held } = bench
        bench.held = null
        held.dispatchEvent(new Event('error'))
      }
    }, 1000)
  }

  const iso = (ms = Date.now()) => new Date(ms).toISOString()

  function say(name, message) {
    bench.held.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(message) }))
  }

  /** One in `SHARE` of all points has another value. */
  function readings(round) {
    const now = iso()
    const some = Object.entries(known).filter((_, index) => index % SHARE === round % SHARE)
    const values = Object.fromEntries(
      some.map(([point, value]) => [point, value + (round % 7) / 10]),
    )
    const good = [{ received_at: now, source_at: now, stale_after_s: 60, values }]
    say('readings', { now, every: false, good, readings: {} })
    say('heartbeat', { now, received_at: now })
  }

  /** Every alarm and order has ids of its own, as in life. */
  function happen(step, number, things, templates) {
    const [id, order] = [`bench-alarm-${number}`, `bench-order-${number}`]
    const equipment = number % 3 === 0 ? things[0] : things[number % things.length]
    const state = {
      raise: 'unacknowledged',
      order: 'unacknowledged',
      acknowledge: 'acknowledged',
      accept: 'acknowledged',
      clear: 'closed',
    }[step]
    const past = STEPS[step] * 1000
    if (state !== undefined) {
      say('alarm', {
        alarm: {
          ...templates.alarm,
          ...{ id, equipment, state, present: state !== 'closed', raised_at: iso(Date.now() - past) },
          acknowledged_at: state === 'unacknowledged' ? null : iso(),
          cleared_at: state === 'closed' ? iso() : null,
        },
      })
    }
    const stands = { order: 'open', accept: 'accepted', close: 'completed', done: 'closed' }[step]
    if (stands !== undefined) {
      say('order', {
        order: { ...templates.order, id: order, equipment, state: stands, created_at: iso(Date.now() - past) },
      })
    }
  }
})()
