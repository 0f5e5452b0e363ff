/** Whether a key is meant for the page: pressed alone, in no field or menu, and with no dialog open. */
const FIELDS = 'input, textarea, select, [contenteditable], [role=menu], [role=dialog], dialog'

export function isForPage(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return false
  const { target } = event
  if (target instanceof HTMLElement && target.closest(FIELDS) !== null) return false
  return document.querySelector('.el-overlay-dialog, dialog[open]') === null
}
