import { nextTick, ref, useId, type Ref } from 'vue'

/**
 * A button that opens a menu, as the keyboard knows it: the first entry gets the focus, arrows go
 * round, Escape gives the focus back to the button, and a menu that is left closes.
 */
export function useMenu(root: Readonly<Ref<HTMLElement | null>>) {
  const list = useId()
  const open = ref(false)

  function entries(): HTMLElement[] {
    return [...(root.value?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])]
  }

  async function show(): Promise<void> {
    open.value = !open.value
    await nextTick()
    entries()[0]?.focus()
  }

  function hide(): void {
    open.value = false
    root.value?.querySelector('button')?.focus()
  }

  function move(by: number): void {
    const all = entries()
    const at = all.indexOf(document.activeElement as HTMLElement)
    all[(at + by + all.length) % all.length]?.focus()
  }

  function left({ relatedTarget }: FocusEvent): void {
    if (!root.value?.contains(relatedTarget as Node | null)) open.value = false
  }

  return { list, open, show, hide, move, left }
}
