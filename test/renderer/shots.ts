/**
 * Looks at screens: `node test/renderer/shots.ts OUT_DIR NAME=ADDRESS…` builds the harness, opens each address
 * (for instance `data=/?lang=zh#/data`) in Chromium, writes OUT_DIR/NAME-THEME-LANG.png and prints what axe
 * and the console found. Flags before: --themes=light,dark --langs=en,zh --size=1280x800 --no-build.
 */
import { mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AxeBuilder } from '@axe-core/playwright'
import { chromium } from '@playwright/test'
import { build, preview } from 'vite'

const here = dirname(fileURLToPath(import.meta.url))
const flags = new Map<string, string>()
const rest: string[] = []
for (const arg of process.argv.slice(2)) {
  const flag = /^--([a-z-]+)(?:=(.*))?$/.exec(arg)
  if (flag === null) rest.push(arg)
  else flags.set(flag[1]!, flag[2] ?? '')
}
const [out = '/tmp/shots', ...targets] = rest
const themes = (flags.get('themes') ?? 'light,dark').split(',')
const langs = (flags.get('langs') ?? 'en,zh').split(',')
const [width = 1280, height = 800] = (flags.get('size') ?? '1280x800').split('x').map(Number)

mkdirSync(out, { recursive: true })
const outDir = resolve(out, 'harness')
const configFile = resolve(here, 'vite.config.ts')
if (!flags.has('no-build')) await build({ configFile, build: { outDir }, logLevel: 'warn' })
const server = await preview({
  configFile,
  build: { outDir },
  preview: { port: 0, host: '127.0.0.1' },
  logLevel: 'warn',
})
const origin = server.resolvedUrls!.local[0]!
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
})
let bad = 0
try {
  for (const target of targets) {
    const [name, rawAddress] = target.split(/=(.*)/s)
    // A step after "!": NAME=ADDRESS!click text=Add data!press Escape
    const [address, ...steps] = rawAddress!.split('!')
    for (const theme of themes)
      for (const lang of langs) {
        const context = await browser.newContext({
          viewport: { width, height },
          locale: lang === 'zh' ? 'zh-CN' : 'en',
        })
        const page = await context.newPage()
        const said: string[] = []
        page.on('console', (message) => {
          if (['error', 'warning'].includes(message.type())) said.push(message.text())
        })
        page.on('pageerror', (error) => said.push(String(error)))
        const url = new URL(address!, origin)
        url.searchParams.set('lang', lang)
        url.searchParams.set('theme', theme)
        await page.goto(url.href)
        await page.waitForLoadState('networkidle')
        await page.waitForTimeout(350)
        for (const step of steps) {
          const [verb, argument, text] = step
            .split(/^(\w+) ?/)
            .slice(1)
            .flatMap((s, i) => (i === 0 ? [s] : s.split('=>')))
          if (verb === 'click') await page.locator(argument!).first().click({ timeout: 4000 })
          else if (verb === 'press') await page.keyboard.press(argument!)
          else if (verb === 'fill') await page.locator(argument!).first().fill(text!)
          else if (verb === 'wait') await page.waitForTimeout(Number(argument))
          else if (verb === 'scroll') await page.locator(argument!).first().scrollIntoViewIfNeeded()
          else if (verb === 'file') await page.locator('input[type=file]').first().setInputFiles(argument!)
          await page.waitForTimeout(150)
        }
        await page.waitForTimeout(250)
        const file = resolve(out, `${name}-${theme}-${lang}.png`)
        await page.screenshot({ path: file })
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
        const axe = await new AxeBuilder({ page })
          .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
          .analyze()
        const problems = axe.violations.map(
          (v) =>
            `  ${v.impact} ${v.id}: ${v.nodes
              .slice(0, 4)
              .map((n) => `${n.target.join(' ')} ${n.any[0]?.message ?? ''}`)
              .join(' | ')}`,
        )
        bad += problems.length + said.length
        console.log(
          [
            file,
            ...(overflow > 0 ? [`  overflows by ${overflow}px`] : []),
            ...problems,
            ...said.map((s) => `  console: ${s.slice(0, 300)}`),
          ].join('\n'),
        )
        await context.close()
      }
  }
} finally {
  await browser.close()
  await server.close()
}
console.log(bad === 0 ? 'no findings' : `${bad} findings`)
