/** What is drawn of a trend, as ECharts wants to be told. Labels are text: no HTML anywhere. */
import type { EChartsCoreOption } from 'echarts/core'

import type { Bucket } from '@/client/types'
import { figure } from '@/model/figures'
import { zoneOffset } from '@/model/moments'
import type { DrawnLimit, TrendContent } from './content'
import type { Palette } from './palette'

type Spot = [number, number | null]

const DAY = 86_400_000
const FONT = 13
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
    grid: { left: 8, right: 52, top: 14, bottom: 26 },
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
    yAxis: yAxis(content, palette),
    tooltip: tooltip(content, palette, shift),
    series: series(content, palette, shift),
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
  return {
    ...common,
    ...scale(content, edges),
    axisLabel: { ...label, formatter: (value: number) => figure(value, places(value)) },
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
function scale(content: TrendContent, edges: readonly number[]) {
  const values = content.buckets.flatMap(({ min, max }) => [min ?? [], max ?? []].flat())
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

function series(content: TrendContent, palette: Palette, shift: number): object[] {
  const spots = (value: (bucket: Bucket) => number | null): Spot[] =>
    content.buckets.flatMap((bucket): Spot[] => {
      const at = Date.parse(bucket.start) + shift
      if (bucket.count > 0) return [[at, value(bucket)]]
      // An empty bucket breaks the line only where it belongs to a gap.
      const start = at - shift
      return content.gaps.some((gap) => start >= gap.start && start < gap.end) ? [[at, null]] : []
    })
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
      data: [...(content.steps ? [] : bands(content, palette)), ...holes(content, palette, shift)],
    },
    ...(content.steps ? {} : { markLine: lines(content, palette) }),
  }
  if (content.steps) return [main]
  return [
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

function holes(content: TrendContent, palette: Palette, shift: number): object[] {
  const long = (content.end - content.start) / 12
  return content.gaps.map((gap) => [
    {
      xAxis: gap.start + shift,
      name: gap.words,
      itemStyle: { color: palette.hatch },
      label: {
        show: gap.end - gap.start > long,
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

function lines(content: TrendContent, palette: Palette): object {
  return {
    silent: true,
    symbol: 'none',
    data: content.limits.map((limit) => ({
      yAxis: edge(limit),
      name: limit.words,
      lineStyle: { color: palette.tone[limit.priority].line, type: [6, 5], width: 1.2 },
      label: {
        formatter: '{b}',
        position: limit.above === null ? 'insideStartBottom' : 'insideStartTop',
        color: palette.tone[limit.priority].ink,
        fontSize: FONT,
      },
    })),
  }
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
      const bucket = content.buckets.find(({ start }) => Date.parse(start) + shift === at)
      if (at === undefined || bucket === undefined) return ''
      const clock = new Date(at).toISOString().slice(5, 19).replace('T', ' ')
      if (bucket.mean === null || bucket.min === null || bucket.max === null) {
        return `${clock}\n${content.words.nothing}`
      }
      const main = content.steps ? (bucket.last ?? bucket.mean) : bucket.mean
      const rows = [clock, `${content.steps ? content.words.last : content.words.mean}  ${written(main)}`]
      if (!content.steps && bucket.min !== bucket.max) {
        rows.push(`${content.words.range}  ${written(bucket.min)} – ${written(bucket.max)}`)
      }
      return rows.join('\n')
    },
  }
}
