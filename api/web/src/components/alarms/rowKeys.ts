/** The list of alarms by keyboard: up and down choose, Enter opens (it is a link), A acknowledges, S
 * shelves the one that is open. */
import { onBeforeUnmount, onMounted, type Ref } from 'vue'

import { isForPage } from '@/components/parts/typing'

const ROWS = '[data-alarm-id] .row-link, [data-alarm-id] h2 a'
const ACKNOWLEDGE = '[data-test=alarm-acknowledge], [data-test=alarm-acknowledge-as]'
const SHELVE = '[data-test=alarm-details] [data-test=alarm-shelve]'

function pressedOn(button: Element | null | undefined): boolean {
  if (!(button instanceof HTMLElement)) return false
  button.click()
  return true
}

/** `list` is what holds the lines; `chosen()` the id of the alarm whose details are open. */
export function useRowKeys(list: Ref<HTMLElement | null>, chosen: () => string): void {
  /** Where the last chosen line stood: when it is gone, the next one is there. */
  let place = -1

  const links = (): HTMLElement[] => [...(list.value?.querySelectorAll<HTMLElement>(ROWS) ?? [])]
  const rowOf = (element: Element | null): HTMLElement | null =>
    element?.closest<HTMLElement>('[data-alarm-id]') ?? null

  function here(): number {
    const row = rowOf(document.activeElement)
    const found = links().findIndex((link) => rowOf(link) === row)
    if (row !== null && found >= 0) return found
    const open = links().findIndex((link) => rowOf(link)?.dataset['alarmId'] === chosen())
    return open >= 0 ? open : -1
  }

  function move(by: 1 | -1): boolean {
    const all = links()
    const from = here()
    const lost = from < 0 && place >= 0
    const to = lost ? Math.min(place, all.length - 1) : from < 0 ? 0 : from + by
    const link = all[Math.max(0, Math.min(all.length - 1, to))]
    if (link === undefined) return false
    link.focus()
    place = all.indexOf(link)
    return true
  }

  function acknowledge(): boolean {
    const all = links()
    place = here()
    return pressedOn(rowOf(all[place] ?? null)?.querySelector(ACKNOWLEDGE))
  }

  function pressed(event: KeyboardEvent): void {
    if (!isForPage(event)) return
    const does = {
      ArrowDown: () => move(1),
      ArrowUp: () => move(-1),
      a: acknowledge,
      s: () => pressedOn(document.querySelector(SHELVE)),
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key]
    if (does?.()) event.preventDefault()
  }

  onMounted(() => window.addEventListener('keydown', pressed))
  onBeforeUnmount(() => window.removeEventListener('keydown', pressed))
}
