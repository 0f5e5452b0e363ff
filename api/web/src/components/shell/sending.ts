/** Ctrl+Enter in a field sends what it belongs to: its dialog, its form, or the card that it is in. */
import { onBeforeUnmount, onMounted } from 'vue'

const FIELDS = 'input, textarea, select'
const SENDS = 'button[type=submit], .el-button--primary, .el-button--danger'

/** The one button nearest to `field` that sends it; null: there is none, or more than one. */
function sender(field: Element): HTMLButtonElement | null {
  const whole = field.closest('.el-dialog') ?? field.closest('form') ?? field.closest('.card')
  if (whole === null) return null
  for (let near = field.parentElement; near !== null; near = near.parentElement) {
    const [button, another] = near.querySelectorAll<HTMLButtonElement>(SENDS)
    if (another !== undefined) return null
    if (button !== undefined) return button
    if (near === whole) return null
  }
  return null
}

function pressed(event: KeyboardEvent): void {
  const { key, ctrlKey, metaKey, isComposing, target, defaultPrevented } = event
  if (key !== 'Enter' || !(ctrlKey || metaKey) || isComposing || defaultPrevented) return
  if (!(target instanceof HTMLElement) || !target.matches(FIELDS)) return
  const button = sender(target)
  if (button === null) return
  event.preventDefault()
  // Pressed by hand it would do nothing either while it is busy or something is missing.
  button.click()
}

export function useSendingKey(): void {
  onMounted(() => window.addEventListener('keydown', pressed))
  onBeforeUnmount(() => window.removeEventListener('keydown', pressed))
}
