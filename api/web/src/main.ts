import { createPinia } from 'pinia'
import { createApp } from 'vue'

import App from './App.vue'
import { router } from './router'
import './styles/tokens.css'
import './styles/base.css'
import './styles/element.css'
import { words } from './words'

createApp(App).use(createPinia()).use(words).use(router).mount('#page')
