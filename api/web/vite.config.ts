import { fileURLToPath } from 'node:url'

import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'
import { VitePWA } from 'vite-plugin-pwa'

import { phoneFiles } from './scripts/phoneFiles.ts'

const server = process.env['DUTYROOM_ADDRESS'] ?? 'http://127.0.0.1:8000'

const kept = phoneFiles((module) => /\/pages\/(phone\/\w+|LoginPage)\.vue$/.test(module))

/** The installed phone page. */
const manifest = {
  id: '/m',
  start_url: '/m',
  scope: '/m',
  name: '值班室 dutyroom',
  short_name: '值班室',
  description: '工单、巡检、扫码；没有信号也能填写。',
  lang: 'zh-CN',
  dir: 'ltr' as const,
  display: 'standalone' as const,
  orientation: 'portrait' as const,
  background_color: '#f3f5f6',
  theme_color: '#1b242c',
  icons: [
    { src: '/icons/phone-192.png', sizes: '192x192', type: 'image/png' },
    { src: '/icons/phone-512.png', sizes: '512x512', type: 'image/png' },
    { src: '/icons/phone-edge-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
  ],
}

export default defineConfig({
  plugins: [
    vue(),
    kept.plugin,
    VitePWA({
      // The page asks for it itself, only under /m, and a new version waits until it is asked for:
      // src/client/worker.ts.
      registerType: 'prompt',
      injectRegister: false,
      manifest,
      includeManifestIcons: false,
      includeAssets: [],
      workbox: {
        inlineWorkboxRuntime: true,
        cleanupOutdatedCaches: true,
        skipWaiting: false,
        clientsClaim: false,
        globPatterns: ['**/*.{js,css,html,svg,png,webmanifest}'],
        manifestTransforms: [
          (entries) => ({ manifest: entries.filter(({ url }) => kept.has(url)), warnings: [] }),
        ],
        navigateFallback: '/index.html',
        // Nothing but the page itself: what the server says is never answered from here.
        navigateFallbackAllowlist: [/^\/m(\/|$)/],
        runtimeCaching: [],
      },
    }),
  ],
  resolve: { alias: { '@': fileURLToPath(new URL('src', import.meta.url)) } },
  define: {
    __VUE_OPTIONS_API__: false,
    __VUE_PROD_DEVTOOLS__: false,
    __VUE_I18N_LEGACY_API__: false,
    __VUE_I18N_FULL_INSTALL__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
    __INTLIFY_DROP_MESSAGE_COMPILER__: false,
  },
  build: {
    outDir: '../static',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
  },
  server: { proxy: { '/api': server, '/openapi.json': server } },
})
