/** The service worker of the phone's pages: it keeps the page itself, so that it opens without signal. */

/** ms; a page that stays open asks so often whether there is a newer one. */
const OFTEN = 30 * 60_000
const SCOPE = '/m'

/** `fresh` hears that a newer version is here and waits; `impossible`: why this browser keeps nothing. */
export interface WorkerListener {
  ready(): void
  fresh(): void
  impossible(why: 'insecure' | 'unsupported' | 'untrusted' | 'failed'): void
}

let waiting: ServiceWorker | null = null
let begun = false

export function beginWorker(listener: WorkerListener): void {
  if (begun || !import.meta.env.PROD) return
  begun = true
  if (!isSecureContext) return listener.impossible('insecure')
  if (!('serviceWorker' in navigator)) return listener.impossible('unsupported')
  void register(listener)
}

async function register(listener: WorkerListener): Promise<void> {
  try {
    const found = await navigator.serviceWorker.register('/sw.js', {
      scope: SCOPE,
      updateViaCache: 'none',
    })
    const look = (worker: ServiceWorker | null): void => {
      if (worker === null) return
      const changed = (): void => {
        if (worker.state === 'activated') listener.ready()
        // The first one of all takes nobody's place.
        if (worker.state !== 'installed' || found.active === null) return
        waiting = worker
        listener.fresh()
      }
      worker.addEventListener('statechange', changed)
      changed()
    }
    look(found.active)
    look(found.waiting)
    look(found.installing)
    found.addEventListener('updatefound', () => look(found.installing))
    const ask = (): void => void found.update().catch(() => undefined)
    setInterval(ask, OFTEN)
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) ask()
    })
  } catch (error) {
    // Somebody has gone past the browser's warning: it shows the page, and keeps nothing of it.
    const { name } = error as { name?: string }
    listener.impossible(name === 'SecurityError' ? 'untrusted' : 'failed')
  }
}

/** Go on with the version that waits; the page begins anew. */
export function takeFresh(): void {
  const worker = waiting
  // Another tab was faster.
  if (worker?.state !== 'installed') return location.reload()
  // Not by `controllerchange`: a page that was opened before there was any worker has none.
  worker.addEventListener('statechange', () => {
    if (worker.state === 'activated') location.reload()
  })
  worker.postMessage({ type: 'SKIP_WAITING' })
}
