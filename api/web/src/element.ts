/** The parts of Element Plus that are in use, with their styles; only pages import this. */
import 'element-plus/es/components/button/style/css'
import 'element-plus/es/components/dialog/style/css'
import 'element-plus/es/components/input/style/css'
import 'element-plus/es/components/option/style/css'
import 'element-plus/es/components/segmented/style/css'
import 'element-plus/es/components/select/style/css'

import {
  ElOption as Option,
  ElSelect as Select,
} from 'element-plus/es/components/select/index'
import type { DefineComponent } from 'vue'

export { ElButton } from 'element-plus/es/components/button/index'
export { ElDialog } from 'element-plus/es/components/dialog/index'
export { ElInput } from 'element-plus/es/components/input/index'
export { ElSegmented } from 'element-plus/es/components/segmented/index'

// The types of these two take the definitions of their props for the props themselves.
export const ElOption = Option as unknown as DefineComponent<{ value: string; label: string }>
export const ElSelect = Select as unknown as DefineComponent<{
  modelValue: string | string[]
  multiple: boolean
  filterable: boolean
  clearable: boolean
  allowCreate: boolean
  defaultFirstOption: boolean
  reserveKeyword: boolean
  placeholder: string
  noMatchText: string
  noDataText: string
  'onUpdate:modelValue'?: (value: string | string[] | undefined) => void
}>
