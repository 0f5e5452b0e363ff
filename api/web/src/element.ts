/** The parts of Element Plus that are in use, with their styles; only pages import this. */
import 'element-plus/es/components/button/style/css'
import 'element-plus/es/components/input/style/css'
import 'element-plus/es/components/segmented/style/css'

export { ElButton } from 'element-plus/es/components/button/index'
export { ElInput } from 'element-plus/es/components/input/index'
export { ElSegmented } from 'element-plus/es/components/segmented/index'
