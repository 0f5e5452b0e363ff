/** The chart itself: ECharts by its parts, loaded only where a trend is drawn. */
import { LineChart } from 'echarts/charts'
import { GridComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent } from 'echarts/components'
import { init, use, type EChartsType } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'

import { zoneOffset } from '@/model/moments'
import type { TrendContent } from './content'
import { option } from './option'
import { palette } from './palette'

export type { TrendContent } from './content'

use([
  LineChart,
  GridComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TooltipComponent,
  CanvasRenderer,
])

export class Trend {
  private readonly chart: EChartsType
  private readonly observer: ResizeObserver
  private content: TrendContent | null = null

  constructor(frame: HTMLElement) {
    this.chart = init(frame)
    this.observer = new ResizeObserver(() => {
      this.chart.resize()
      this.draw()
    })
    this.observer.observe(frame)
  }

  /** Draw `content` in the colours of the present theme. */
  show(content: TrendContent): void {
    this.content = content
    this.draw()
  }

  private draw(): void {
    if (this.content === null) return
    const drawn = option(this.content, palette(), this.chart.getWidth())
    this.chart.setOption(drawn, { replaceMerge: ['series', 'yAxis'] })
  }

  /** The moment (ms since 1970) at `x`, px from the left of the frame; null: nothing is drawn. */
  momentAt(x: number): number | null {
    if (this.content === null) return null
    const at: number = this.chart.convertFromPixel({ xAxisIndex: 0 }, x)
    const { start, end, zone } = this.content
    return Math.min(end, Math.max(start, at - zoneOffset(end, zone)))
  }

  close(): void {
    this.observer.disconnect()
    this.chart.dispose()
  }
}
