/** The sound of the alarms in this browser: on or off, how loud, and whether it may be heard. */
import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'

import { Speaker } from '@/client/speaker'
import { Turn } from '@/client/turn'
import { callsOf, due, heard, LOST_AFTER, NOTES, SILENT, type Sound } from '@/model/sounds'
import { keep, recalled } from './kept'
import { useLive } from './live'
import { useTime } from './time'
import { useViewer } from './viewer'

const ON = 'dutyroom.sound'
const VOLUME = 'dutyroom.volume'
const QUIET = 'dutyroom.quiet'
/** ms; to open the loudspeaker takes the browser a while, and the page is drawn first. */
const BEGIN = 700
/** ms until it is known whether the browser lets the page sound, or another tab does. */
const SETTLED = 2500
/** A duty room has a screen at least so wide (pixels); a phone in a pocket is to be still. */
const DESK = 900
/** %; whoever wants none turns it off, and then that is shown. */
export const SOFTEST = 20
const USUAL = 70
/** ms of quiet at a time. */
export const QUIET_FOR = 15 * 60_000

export const useSound = defineStore('sound', () => {
  const live = useLive()
  const viewer = useViewer()
  const time = useTime()

  const desk = innerWidth >= DESK
  /** As it was chosen here, as all tabs of this browser know it. */
  const kept = ref(all())
  function all(): Record<typeof ON | typeof VOLUME | typeof QUIET, string | null> {
    return { [ON]: recalled(ON), [VOLUME]: recalled(VOLUME), [QUIET]: recalled(QUIET) }
  }
  function choose(key: keyof typeof kept.value, word: string | null): void {
    keep(key, word)
    kept.value = { ...kept.value, [key]: word }
  }
  addEventListener('storage', () => {
    kept.value = all()
  })

  const on = computed({
    get: () => (kept.value[ON] === null ? desk : kept.value[ON] === 'on'),
    set: (wanted) => choose(ON, wanted ? 'on' : 'off'),
  })
  const volume = computed({
    get: () => Math.min(100, Math.max(SOFTEST, Number(kept.value[VOLUME] ?? USUAL) || USUAL)),
    set: (wanted) => choose(VOLUME, String(wanted)),
  })
  /** Until when (server time, ms) only what is critical is heard; null: all is. */
  const quietUntil = computed(() => {
    const until = Number(kept.value[QUIET] ?? 0)
    return until > time.now && until <= time.now + QUIET_FOR ? until : null
  })

  const able = ref(false)
  const mine = ref(false)
  const others = ref(false)
  const settled = ref(false)
  const wanted = computed(() => viewer.isThere && on.value)

  let speaker: Speaker | null = null
  let turn: Turn | null = null

  function open(): Speaker {
    speaker ??= new Speaker((now) => {
      able.value = now
      turn?.can(now && wanted.value)
    })
    return speaker
  }

  watch(
    wanted,
    (now) => {
      if (!now) {
        turn?.close()
        turn = null
        mine.value = others.value = false
        return
      }
      turn = new Turn('dutyroom.sound', () => {
        mine.value = turn?.mine ?? false
        others.value = turn?.others ?? false
        step()
      })
      setTimeout(() => turn?.can(open().able), BEGIN)
      setTimeout(() => {
        settled.value = true
      }, SETTLED)
    },
    { immediate: true },
  )
  addEventListener('pagehide', () => turn?.can(false))
  addEventListener('pageshow', () => turn?.can(able.value && wanted.value))

  const calls = computed(() => callsOf(live.alarms.values()))
  let sounded = SILENT

  /** Every tab keeps count, so that whichever goes on does not begin anew; one sounds. */
  function step(): void {
    const now = time.pageTime()
    const asked = heard(calls.value, {
      lost: live.silence > LOST_AFTER,
      quiet: quietUntil.value !== null,
    })
    // Blocked, nothing was heard: it sounds when it may.
    if (!wanted.value || !(mine.value || others.value)) return
    const [sound, after] = due(sounded, asked, now)
    sounded = after
    if (sound !== null && mine.value) play(sound)
  }
  watch([() => time.pageNow, calls], step)

  function play(sound: Sound): void {
    open().play(NOTES[sound], volume.value / 100)
  }

  return {
    on,
    volume,
    quietUntil,
    /** It is wanted, and the browser keeps this page silent, and no other tab sounds. */
    blocked: computed(() => settled.value && wanted.value && !able.value && !others.value),
    /** Ask for quiet, or end it. */
    quiet(wanted: boolean): void {
      choose(QUIET, wanted ? String(Math.round(time.now + QUIET_FOR)) : null)
    },
    /** Play it now, on or off: for whoever tries it. */
    play,
    wake: () => speaker?.wake(),
  }
})
