import { expect, test } from '@playwright/test'
import { type App, PASSWORD, World } from './app.ts'
import { lookAtScreens } from './screens.ts'

test.describe.configure({ mode: 'serial' })

let world: World
let ada: App
let bo: App
let cy: App

test.beforeAll(async ({ browser }) => {
  test.setTimeout(240_000)
  world = new World(browser)
  await world.start(5)
  ;[ada, bo, cy] = await Promise.all([world.open('ada'), world.open('bo'), world.open('cy')])
})

test.afterAll(() => world?.stop())

async function shareNumber(app: App, title: string, value: string): Promise<void> {
  const { page } = app
  await app.addNumber(title, value)
  await page.getByText(title).first().click()
  await page.getByRole('button', { name: 'Share…' }).first().click()
  const { dialog } = app
  await dialog.getByLabel('People whose data is combined, at least').fill('2')
  await app.confirmed(() => dialog.getByRole('button', { name: 'Split and store' }).click())
  await expect(dialog.getByText('Shared', { exact: true })).toBeVisible({ timeout: 60_000 })
  await dialog.getByRole('button', { name: 'Close' }).last().click()
}

test('three people create vaults, with the words checked', async () => {
  for (const app of [ada, bo, cy]) {
    await app.createVault()
    expect(app.words).toHaveLength(24)
  }
})

test('two of them share a salary each', async () => {
  await shareNumber(ada, 'My salary', '5230.50')
  await shareNumber(bo, 'Salary', '4100')
})

/** Cy asks for the mean of both salaries, Ada and Bo approve, and Cy waits for the result. */
async function meanOfBoth(protect?: string): Promise<void> {
  const { page } = cy
  await cy.go('computations')
  await page.getByRole('button', { name: 'Request computation' }).first().click()
  const { dialog } = cy
  await dialog.getByText('Mean', { exact: true }).click()
  await dialog.getByRole('button', { name: 'Next' }).click()
  await dialog.getByText('Select all shown').click()
  await expect(dialog.getByText('2 references · 2 people')).toBeVisible()
  await dialog.getByRole('button', { name: 'Next' }).click()
  // Parameters, committee, review.
  while (!(await dialog.getByRole('button', { name: 'Send request' }).isVisible())) {
    if (protect !== undefined && (await dialog.getByText(protect, { exact: true }).isVisible()))
      await dialog.getByText(protect, { exact: true }).click()
    await dialog.getByRole('button', { name: 'Next' }).click()
  }
  await cy.confirmed(() => dialog.getByRole('button', { name: 'Send request' }).click())
  await dialog.getByRole('button', { name: 'Follow it' }).click()

  for (const app of [ada, bo]) {
    await app.go('approvals')
    await app.page
      .getByText(/^Waiting/)
      .first()
      .waitFor()
    await app.page
      .getByText(/Mean · /)
      .first()
      .click()
    await app.confirmed(() => app.page.getByRole('button', { name: 'Approve', exact: true }).click())
    await expect(app.page.getByText('Approved').first()).toBeVisible({ timeout: 30_000 })
  }
  await page.getByText('2 references of 2 people').first().click()
  // (5230.50 + 4100) / 2
  await expect(page.getByText(/4,?665\.25/).first()).toBeVisible({ timeout: 120_000 })
}

test('the third requests the mean, the owners approve, the result is exact', () => meanOfBoth())

test('the same against malicious nodes, and everybody can verify it', async () => {
  test.setTimeout(180_000)
  await meanOfBoth('Against malicious nodes, with public audit')
  const { page } = cy
  await page.getByRole('button', { name: 'Verify' }).click()
  await expect(page.getByText('The computation was right.')).toBeVisible({ timeout: 30_000 })
  await expect(page.getByText('The result above is the one that was computed.')).toBeVisible()
  await page.screenshot({ path: test.info().outputPath('audit.png'), fullPage: true })
})

test('a confirmation that is refused changes nothing', async () => {
  await ada.go('access')
  await ada.page.getByText('My salary').first().click()
  await ada.page.getByRole('button', { name: 'Revoke', exact: true }).click()
  const { dialog } = ada
  await expect(dialog.getByText('released results cannot be recalled')).toBeVisible()
  await ada.confirmed(() => dialog.getByRole('button', { name: 'Revoke access' }).click(), false)
  await expect(dialog.getByText(/did not confirm|not confirmed/i).first()).toBeVisible()
  await ada.page.keyboard.press('Escape')
  await expect(ada.page.getByText('Active').first()).toBeVisible()
})

test('the owner reveals the value to herself', async () => {
  const { page } = ada
  await ada.go('data')
  await page.getByText('My salary').first().click()
  await page.getByRole('button', { name: 'Declassify…' }).first().click()
  const { dialog } = ada
  await dialog.getByRole('textbox').fill('reveal')
  await ada.confirmed(() => dialog.getByRole('button', { name: 'Reveal to me' }).click())
  await expect(dialog.getByText(/5,?230\.50?/)).toBeVisible({ timeout: 60_000 })
  await dialog.getByRole('button', { name: 'Close and forget' }).click()
})

test('every screen: no serious axe finding, no overflow, in both languages and themes', async () => {
  test.setTimeout(300_000)
  await lookAtScreens(ada, test.info())
})

test('revoking ends access and erases the shares', async () => {
  const { page } = ada
  await ada.go('access')
  await page.getByText('My salary').first().click()
  await page.getByRole('button', { name: 'Revoke', exact: true }).click()
  const { dialog } = ada
  await ada.confirmed(() => dialog.getByRole('button', { name: 'Revoke access' }).click())
  await expect(page.getByText('Access revoked').first()).toBeVisible({ timeout: 60_000 })
  await page.keyboard.press('Escape')
  await expect(dialog).toBeHidden()
})

test('lock and unlock', async () => {
  const { page } = bo
  await bo.go('home')
  await page.getByRole('button', { name: 'Lock', exact: false }).first().click()
  await page.getByRole('textbox', { name: 'Password' }).fill('not the right password')
  await page.getByRole('button', { name: 'Unlock' }).click()
  await expect(page.getByText('This password does not open the vault.')).toBeVisible()
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Unlock' }).click()
  await expect(page.getByRole('navigation').first()).toBeVisible({ timeout: 30_000 })
})

test('the words restore everything on an empty machine', async () => {
  // The copy in the network follows the last change after some seconds, at the latest with the lock.
  await ada.page.waitForTimeout(8000)
  await ada.page.getByRole('button', { name: 'Lock vault' }).click()
  await expect(ada.page.getByRole('button', { name: 'Unlock' })).toBeVisible()
  const again = await world.open('ada-new-machine')
  const { page } = again
  await page.getByRole('button', { name: 'Restore from 24 words' }).click()
  await page.getByRole('textbox').first().fill(ada.words.join(' '))
  const passwords = page.locator('input[type=password]')
  await passwords.nth(0).fill(PASSWORD)
  await passwords.nth(1).fill(PASSWORD)
  await page.getByRole('button', { name: 'Restore', exact: true }).click()
  await expect(page.getByText('Your vault is back')).toBeVisible({ timeout: 60_000 })
  await page.getByRole('button', { name: 'Open vault' }).click()
  await page.getByRole('navigation').first().waitFor()
  await again.go('data')
  await expect(page.getByText('My salary').first()).toBeVisible()
})
