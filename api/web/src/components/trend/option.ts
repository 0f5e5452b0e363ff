/** What is drawn of a trend, as ECharts wants to be told. Labels are text: no HTML anywhere. */
import type { EChartsCoreOption } from 'echarts/core'

import type { Bucket } from '@/client/types'
import { widthOf } from '@/model/drawing'
import { figure } from '@/model/figures'
import { zoneOffset } from '@/model/moments'
import type { DrawnLimit, Line, TrendContent } from './content'
import type { Palette } from './palette'

type Spot = [number, number | null]

const DAY = 86_400_000
const FONT = 13
/** px beside the drawing. */
const EDGES = 66
/** px that a time takes with the space around it. */
const LABEL = 90

/**
 * ECharts knows UTC and the browser's zone, not the site's: times are shifted to site time.
 * `width`, px: as many times stand below as have room.
 */
export function option(content: TrendContent, palette: Palette, width: number): EChartsCoreOption {
  const shift = zoneOffset(content.end, content.zone)
  const label = { color: palette.mute, fontSize: FONT }
  return {
    useUTC: true,
    textStyle: { fontFamily: palette.font },
    animation: false,
    // A moment is named above its line.
    grid: { left: content.other?.apart ? 58 : 8, right: 58, top: content.moments.length > 0 ? 24 : 14, bottom: 26 },
    xAxis: {
      type: 'time',
      min: content.start + shift,
      max: content.end + shift,
      splitNumber: Math.max(2, Math.min(10, Math.floor(width / LABEL))),
      axisLabel: { ...label, hideOverlap: true, formatter: (at: number) => tick(at, content) },
      axisLine: { lineStyle: { color: palette.line } },
      axisTick: { show: false },
      splitLine: { show: false },
    },
    yAxis: content.other?.apart ? [yAxis(content, palette), leftAxis(content, palette)] : yAxis(content, palette),
    tooltip: tooltip(content, palette, shift),
    series: series(content, palette, shift, width),
  }
}

function tick(at: number, content: TrendContent): string {
  const iso = new Date(at).toISOString()
  return content.end - content.start > 2 * DAY ? iso.slice(5, 10) : iso.slice(11, 16)
}

function yAxis(content: TrendContent, palette: Palette): object {
  const label = { color: palette.mute, fontSize: FONT }
  const common = {
    type: 'value',
    position: 'right',
    splitLine: { lineStyle: { color: palette.line } },
  }
  if (content.steps) {
    const names = codes(content).map((code) => content.states[code] ?? code)
    const bare = { axisTick: { show: false }, axisLine: { show: false } }
    return { ...common, ...bare, type: 'category', data: names, axisLabel: label }
  }
  const edges = content.limits.flatMap(({ above, below }) => [above ?? [], below ?? []].flat())
  const beside = content.other?.apart === false ? content.other.buckets : []
  return {
    ...common,
    ...scale([...content.buckets, ...beside], edges),
    axisLabel: { ...label, formatter: (value: number) => figure(value, places(value)) },
  }
}

/** The scale of what is measured in something else; it has no lines of its own. */
function leftAxis({ other }: TrendContent, palette: Palette): object {
  return {
    type: 'value',
    position: 'left',
    splitLine: { show: false },
    ...scale(other?.buckets ?? [], []),
    axisLabel: {
      color: palette.mute,
      fontSize: FONT,
      formatter: (value: number) => figure(value, places(value)),
    },
  }
}

/** The codes of a flag, or those of a state that were there, in their order. */
function codes(content: TrendContent): string[] {
  const known = Object.keys(content.states)
  const seen = content.buckets.flatMap(({ last }) => (last === null ? [] : [String(last)]))
  const shown = new Set(known.length > 2 ? seen : [...known, ...seen])
  return [...shown].sort((one, other) => Number(one) - Number(other))
}

/** A round scale that holds every value and, with some room beyond them, the limits. */
function scale(buckets: readonly Bucket[], edges: readonly number[]) {
  const values = buckets.flatMap(({ min, max }) => [min ?? [], max ?? []].flat())
  const low = Math.min(...values, ...edges)
  const high = Math.max(...values, ...edges)
  if (!Number.isFinite(low) || !Number.isFinite(high)) return { min: 0, max: 1 }
  const rough = Math.max(high - low, Math.abs(high) * 0.02, 1) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const interval = power * ([1, 2, 5, 10].find((step) => step * power >= rough) ?? 10)
  return {
    // What is never negative has no room below zero.
    min: Math.max(Math.floor(low / interval - 0.2) * interval, low < 0 ? -Infinity : 0),
    max: Math.ceil(high / interval + 0.2) * interval,
    interval,
  }
}

function places(value: number): number {
  return Number.isInteger(value) ? 0 : 1
}

/** The places of a line; an empty bucket breaks it only where it belongs to a gap. */
function spotsOf(
  { buckets, gaps }: Line,
  shift: number,
  value: (bucket: Bucket) => number | null,
): Spot[] {
  return buckets.flatMap((bucket): Spot[] => {
    const start = Date.parse(bucket.start)
    if (bucket.count > 0) return [[start + shift, value(bucket)]]
    return gaps.some((gap) => start >= gap.start && start < gap.end) ? [[start + shift, null]] : []
  })
}

function series(content: TrendContent, palette: Palette, shift: number, width: number): object[] {
  const spots = (value: (bucket: Bucket) => number | null): Spot[] => spotsOf(content, shift, value)
  const steps = content.steps ? codes(content) : []
  /** A code stands at its place among the names of the axis. */
  const step = ({ last }: Bucket): number | null =>
    last === null ? null : steps.indexOf(String(last))
  const plain = { type: 'line', symbol: 'none', silent: true }
  const main = {
    ...plain,
    name: content.words.mean,
    data: spots((bucket) => (content.steps ? step(bucket) : bucket.mean)),
    step: content.steps ? 'end' : false,
    lineStyle: { color: palette.accent, width: 2.5, cap: 'round' },
    z: 4,
    markArea: {
      silent: true,
      data: [...(content.steps ? [] : bands(content, palette)), ...holes(content, palette, shift, width)],
    },
    markLine: lines(content, palette, shift),
  }
  if (content.steps) return [main]
  return [
    ...compared(content, palette, shift),
    { ...plain, stack: 'range', data: spots(({ min }) => min), lineStyle: { opacity: 0 } },
    {
      ...plain,
      name: content.words.range,
      stack: 'range',
      data: spots(({ min, max }) => (min === null || max === null ? null : max - min)),
      lineStyle: { opacity: 0 },
      areaStyle: { color: palette.accent, opacity: 0.18 },
      z: 3,
    },
    main,
  ]
}

/** What it is compared with: a thinner line in a quiet colour, broken where there is no value. */
function compared({ other }: TrendContent, palette: Palette, shift: number): object[] {
  if (other === null) return []
  return [
    {
      type: 'line',
      symbol: 'none',
      silent: true,
      name: other.name,
      yAxisIndex: other.apart ? 1 : 0,
      data: spotsOf(other, shift + other.back, ({ mean }) => mean),
      lineStyle: { color: palette.steel, width: 2, type: [7, 4] },
      z: 2,
    },
  ]
}

function edge(limit: DrawnLimit): number {
  return limit.above ?? limit.below ?? 0
}

function bands(content: TrendContent, palette: Palette): object[] {
  return content.limits.map((limit) => [
    {
      yAxis: edge(limit),
      itemStyle: { color: palette.tone[limit.priority].soft },
    },
    { yAxis: limit.above === null ? -1e9 : 1e9 },
  ])
}

/** A gap is hatched; how long it was stands in it where there is room (px) for that. */
function holes(content: TrendContent, palette: Palette, shift: number, width: number): object[] {
  const perMs = (width - EDGES) / (content.end - content.start)
  return content.gaps.map((gap) => [
    {
      xAxis: gap.start + shift,
      name: gap.words,
      itemStyle: { color: palette.hatch },
      label: {
        show: (gap.end - gap.start) * perMs > widthOf(gap.words) * FONT + 16,
        position: 'inside',
        color: palette.mute,
        backgroundColor: palette.panel,
        padding: [3, 6],
        fontSize: FONT,
      },
    },
    { xAxis: gap.end + shift },
  ])
}

function lines(content: TrendContent, palette: Palette, shift: number): object {
  const moments = content.moments.map(({ at, words }) => ({
    xAxis: at + shift,
    name: words,
    lineStyle: { color: palette.mute, type: 'solid', width: 1.2 },
    label: { formatter: '{b}', position: 'end', distance: 2, color: palette.mute, fontSize: FONT },
  }))
  const limits = content.steps ? [] : content.limits
  const edges = limits.map((limit) => ({
    yAxis: edge(limit),
    name: limit.words,
    lineStyle: { color: palette.tone[limit.priority].line, type: [6, 5], width: 1.2 },
    label: {
      formatter: '{b}',
      position: limit.above === null ? 'insideStartBottom' : 'insideStartTop',
      color: palette.tone[limit.priority].ink,
      fontSize: FONT,
    },
  }))
  return { silent: true, symbol: 'none', data: [...edges, ...moments] }
}

function tooltip(content: TrendContent, palette: Palette, shift: number): object {
  const written = (value: number): string =>
    content.steps
      ? (content.states[String(value)] ?? String(value))
      : `${figure(value, content.decimals)} ${content.unit}`
  return {
    trigger: 'axis',
    renderMode: 'richText',
    confine: true,
    backgroundColor: palette.panel,
    borderColor: palette.mute,
    borderWidth: 1,
    padding: [8, 12],
    textStyle: { color: palette.ink, fontSize: FONT },
    axisPointer: { axis: 'x', lineStyle: { color: palette.mute } },
    formatter: (shown: readonly { value: Spot }[]) => {
      const at = shown[0]?.value[0]
      if (at === undefined) return ''
      const bucket = bucketAt(content, at - shift)
      const clock = new Date(at).toISOString().slice(5, 19).replace('T', ' ')
      const { words, other } = content
      const rows = [clock]
      if (bucket === null || bucket.mean === null || bucket.min === null || bucket.max === null) {
        rows.push(words.nothing)
      } else {
        const main = content.steps ? (bucket.last ?? bucket.mean) : bucket.mean
        rows.push(`${content.steps ? words.last : words.mean}  ${written(main)}`)
        if (!content.steps && bucket.min !== bucket.max) {
          rows.push(`${words.range}  ${written(bucket.min)} – ${written(bucket.max)}`)
        }
      }
      if (other !== null) {
        const mean = bucketAt(other, at - shift - other.back)?.mean ?? null
        rows.push(`${other.name}  ${mean === null ? words.nothing : `${figure(mean, other.decimals)} ${other.unit}`}`)
      }
      return rows.join('\n')
    },
  }
}

/** What `line` says at `at` (ms): of a time without readings that is no gap, what was before. */
export function bucketAt({ buckets, gaps }: Line, at: number): Bucket | null {
  if (gaps.some((gap) => at >= gap.start && at < gap.end)) return null
  return buckets.findLast(({ start, count }) => count > 0 && Date.parse(start) <= at + 1) ?? null
}
