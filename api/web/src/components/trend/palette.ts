/** The colours of the present theme, as the canvas needs them. */
import type { Priority } from '@/client/types'

export interface Palette {
  font: string
  ink: string
  mute: string
  line: string
  panel: string
  accent: string
  steel: string
  band: string
  tone: Record<Priority, { line: string; ink: string; soft: string }>
  /** The pattern of "nothing is known". */
  hatch: { image: HTMLCanvasElement; repeat: 'repeat' }
}

export function palette(): Palette {
  const style = getComputedStyle(document.documentElement)
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  const tone = (name: Priority) => ({
    line: colour(name),
    ink: colour(`${name}-ink`),
    soft: colour(`${name}-soft`),
  })
  return {
    font: getComputedStyle(document.body).fontFamily,
    ink: colour('ink'),
    mute: colour('mute'),
    line: colour('line-soft'),
    panel: colour('panel'),
    accent: colour('accent'),
    steel: colour('steel'),
    band: colour('accent-soft'),
    tone: {
      critical: tone('critical'),
      major: tone('major'),
      minor: tone('minor'),
      info: tone('info'),
    },
    hatch: hatch(colour('hatch')),
  }
}

const SIZE = 9

function hatch(colour: string): Palette['hatch'] {
  const canvas = document.createElement('canvas')
  canvas.width = SIZE
  canvas.height = SIZE
  const pen = canvas.getContext('2d')
  if (pen !== null) {
    pen.strokeStyle = colour
    pen.lineWidth = 2.5
    for (const shift of [-SIZE, 0, SIZE]) {
      pen.moveTo(shift - 1, SIZE + 1)
      pen.lineTo(shift + SIZE + 1, -1)
    }
    pen.stroke()
  }
  return { image: canvas, repeat: 'repeat' }
}
