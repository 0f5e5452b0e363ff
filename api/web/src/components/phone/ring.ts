/** A phone sounds when an order comes to the person in whose hand it is. */
import { ref, watch, type Ref } from 'vue'

import { Speaker } from '@/client/speaker'
import { NOTES } from '@/model/sounds'
import { keep, recalled } from '@/stores/kept'
import { usePhone } from '@/stores/phone'

const ON = 'dutyroom.phone.sound'
const LOUD = 0.9
const SHAKE = [200, 100, 200]

const on = ref(recalled(ON) !== 'off')
let speaker: Speaker | null = null

/** Made before it is needed: the browser lets it sound only after somebody has touched the page. */
function open(): Speaker {
  speaker ??= new Speaker(() => undefined)
  return speaker
}

function play(): void {
  open().play(NOTES.major, LOUD)
  navigator.vibrate?.(SHAKE)
}

export function useRing(): void {
  const phone = usePhone()
  if (on.value) open()
  watch(
    () => phone.rung,
    () => {
      if (on.value) play()
    },
  )
}

export function useRingSwitch(): { on: Readonly<Ref<boolean>>; choose(wanted: boolean): void; play: () => void } {
  return {
    on,
    choose: (wanted) => {
      on.value = wanted
      keep(ON, wanted ? null : 'off')
    },
    play,
  }
}
