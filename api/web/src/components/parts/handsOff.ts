/** Whether what is shown is out of reach: on a wall nothing is pressed, so nothing looks like it. */
import { inject, provide, type InjectionKey } from 'vue'

const key: InjectionKey<boolean> = Symbol('hands off')

/** From here on down nothing can be pressed. */
export function keepHandsOff(): void {
  provide(key, true)
}

export function isHandsOff(): boolean {
  return inject(key, false)
}
