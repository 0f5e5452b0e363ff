import { defineConfig } from 'eslint/config'
import vue from 'eslint-plugin-vue'
import typescript from 'typescript-eslint'
import parser from 'vue-eslint-parser'

export default defineConfig(
  { ignores: ['node_modules/', 'src/client/schema.d.ts'] },
  ...typescript.configs.strict,
  ...vue.configs['flat/recommended'],
  {
    files: ['**/*.vue'],
    languageOptions: {
      parser,
      parserOptions: { parser: typescript.parser, sourceType: 'module' },
    },
  },
  {
    rules: {
      // What a device or a person wrote is text, never markup.
      'vue/no-v-html': 'error',
      'no-restricted-properties': [
        'error',
        { property: 'innerHTML', message: 'Text only: use textContent.' },
        { property: 'outerHTML', message: 'Text only: use textContent.' },
        { property: 'insertAdjacentHTML', message: 'Text only: use textContent.' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector:
            "ObjectExpression:has(> Property[key.name='trigger'][value.value=/^(axis|item)$/])" +
            ":not(:has(> Property[key.name='renderMode'][value.value='richText']))",
          message: "A tooltip of a chart is text: renderMode: 'richText'.",
        },
        {
          selector: 'Property[key.name=/^(dangerouslyUseHTMLString|rawContent)$/]',
          message: 'Text only.',
        },
      ],
      'vue/no-restricted-static-attribute': ['error', { key: 'raw-content', message: 'Text only.' }],
      'vue/no-restricted-v-bind': ['error', '/^(raw-content|srcdoc)$/'],
      'no-restricted-imports': [
        'error',
        { paths: ['element-plus', 'echarts'].map((name) => ({ name, message: 'Import the part.' })) },
      ],
      'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      'vue/block-order': ['error', { order: ['script', 'template', 'style'] }],
      'vue/component-api-style': ['error', ['script-setup']],
      'vue/define-macros-order': 'error',
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/html-self-closing': ['error', { html: { void: 'always', normal: 'always' } }],
      'vue/no-unused-properties': 'error',
      'vue/require-default-prop': 'off',
      'max-lines': ['error', { max: 300 }],
      eqeqeq: 'error',
      curly: ['error', 'multi-line'],
    },
  },
)
