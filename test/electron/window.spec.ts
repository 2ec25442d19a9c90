import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { _electron, type ElectronApplication, expect, type Page, test } from '@playwright/test'

const ROOT = join(import.meta.dirname, '..', '..')
let dir: string
let app: ElectronApplication
let page: Page

test.beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'enigma-electron-'))
  app = await _electron.launch({ args: [ROOT, '--data', dir] })
  page = await app.firstWindow()
})

test.afterAll(async () => {
  await app?.close()
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
})

test('the page is sandboxed and isolated', async () => {
  const preferences = await app.evaluate(({ BrowserWindow }) => {
    // In Electron, but not in its types.
    const contents = BrowserWindow.getAllWindows()[0]?.webContents as unknown as {
      getLastWebPreferences(): Record<string, unknown>
    }
    return contents.getLastWebPreferences()
  })
  expect(preferences).toMatchObject({ sandbox: true, contextIsolation: true, nodeIntegration: false })
  expect(await page.evaluate(() => ['require', 'process'].filter((name) => name in globalThis))).toEqual([])
})

test('it is served from app:// under a policy without inline script', async () => {
  expect(page.url()).toMatch(/^app:\/\//)
  const policy = await page.evaluate(async () =>
    (await fetch('index.html')).headers.get('content-security-policy'),
  )
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toContain('unsafe')
})

test('navigation, new windows and permissions are refused', async () => {
  const before = page.url()
  await page.evaluate(() => {
    Object.assign(globalThis, { location: 'https://example.org/' })
  })
  expect(page.url()).toBe(before)
  expect(await page.evaluate(() => open('https://example.org/') === null)).toBe(true)
  const state = await page.evaluate(
    async () => (await navigator.permissions.query({ name: 'geolocation' })).state,
  )
  expect(state).toBe('denied')
})

test('a vault is created in it', async () => {
  await page.getByRole('button', { name: 'Create vault' }).click()
  const passwords = page.locator('input[type=password]')
  await passwords.nth(0).fill('correct horse battery staple 42')
  await passwords.nth(1).fill('correct horse battery staple 42')
  await page.getByRole('button', { name: 'Create vault' }).click()
  await expect(page.getByRole('list', { name: 'Write down your 24 words' })).toBeVisible({ timeout: 60_000 })
})
