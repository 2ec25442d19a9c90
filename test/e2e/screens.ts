import { AxeBuilder } from '@axe-core/playwright'
import { expect, type TestInfo } from '@playwright/test'
import type { App } from './app.ts'

export const SCREENS = [
  'home',
  'data',
  'access',
  'identities',
  'predicates',
  'approvals',
  'computations',
  'node',
  'activity',
  'settings',
  'gallery',
] as const

/** Sets language and theme through the node, as the settings screen does. */
async function appearance(app: App, language: 'en' | 'zh', theme: 'light' | 'dark'): Promise<void> {
  await app.page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
  await app.go('settings/general')
  const { page } = app
  await page.getByRole('combobox', { name: /^(Language|语言)$/ }).click()
  await page.getByRole('option', { name: language === 'en' ? 'English' : '简体中文' }).click()
  await expect(page.locator('html')).toHaveAttribute('lang', language === 'en' ? /en/ : /zh/)
}

/** Opens every screen in both languages and themes: axe without serious findings, nothing wider than the window. */
export async function lookAtScreens(app: App, info: TestInfo): Promise<void> {
  const { page } = app
  for (const language of ['en', 'zh'] as const)
    for (const theme of ['light', 'dark'] as const) {
      await appearance(app, language, theme)
      for (const screen of SCREENS) {
        await app.go(screen)
        await expect(page.locator('main').first()).toBeVisible()
        await page.waitForTimeout(150)
        const name = `${screen}-${language}-${theme}`
        await info.attach(name, { body: await page.screenshot(), contentType: 'image/png' })
        if (process.env.ENIGMA_SHOTS !== undefined)
          await page.screenshot({ path: `${process.env.ENIGMA_SHOTS}/${name}.png` })
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        )
        expect(overflow, `${name} is wider than the window`).toBeLessThanOrEqual(0)
        const { violations } = await new AxeBuilder({ page }).analyze()
        const serious = violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')
        expect(
          serious.map((v) => `${v.id}: ${v.nodes[0]?.html}`),
          name,
        ).toEqual([])
      }
    }
  await appearance(app, 'en', 'light')
}
