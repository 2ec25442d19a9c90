import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Browser, BrowserContext, Page } from '@playwright/test'

const ROOT = join(import.meta.dirname, '..', '..')
const START_MS = 90_000
export const PASSWORD = 'correct horse battery staple 42'

type Line = { event: string } & Record<string, unknown>

/** A process of the command line that prints events; ends with the test that started it. */
export class Cli {
  readonly #child: ChildProcess
  readonly #lines: Line[] = []
  readonly #waiting = new Set<() => void>()
  #errors = ''

  constructor(args: string[]) {
    this.#child = spawn(process.execPath, [join(ROOT, 'main', 'cli.ts'), ...args, '--json'], {
      cwd: ROOT,
      env: { ...process.env, ENIGMA_OPEN: 'print', ENIGMA_PARENT: 'stdin', DISPLAY: '', WAYLAND_DISPLAY: '' },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      if (!line.startsWith('{')) return
      this.#lines.push(JSON.parse(line) as Line)
      for (const wake of this.#waiting) wake()
    })
    this.#child.stderr!.on('data', (part) => {
      this.#errors += String(part)
    })
    this.#child.on('exit', () => {
      for (const wake of this.#waiting) wake()
    })
  }

  /** The first line after `from` that fits; gives the position behind it. */
  async line(fits: (line: Line) => boolean, from = 0): Promise<{ line: Line; next: number }> {
    const end = Date.now() + START_MS
    for (;;) {
      const at = this.#lines.findIndex((line, i) => i >= from && fits(line))
      if (at >= 0) return { line: this.#lines[at]!, next: at + 1 }
      if (this.#child.exitCode !== null || Date.now() > end)
        throw new Error(`no such line from the app\n${this.#errors.slice(-2000)}`)
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer)
          this.#waiting.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, 500)
        this.#waiting.add(wake)
      })
    }
  }

  get lines(): number {
    return this.#lines.length
  }

  /** The app shows its link again when somebody presses Enter. */
  enter(): void {
    this.#child.stdin?.write('\n')
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGTERM')
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 15_000)
    await ended
    clearTimeout(late)
  }
}

/** A network and people with browsers of their own. */
export class World {
  readonly dir = mkdtempSync(join(tmpdir(), 'enigma-e2e-'))
  readonly #browser: Browser
  readonly #processes: Cli[] = []
  network = ''

  constructor(browser: Browser) {
    this.#browser = browser
  }

  async start(nodes: number): Promise<void> {
    const devnet = new Cli(['devnet', '--nodes', String(nodes), '--data', join(this.dir, 'network')])
    this.#processes.push(devnet)
    const { line } = await devnet.line((l) => typeof l.network === 'string')
    this.network = line.network as string
  }

  /** Starts the app for somebody and opens the page it prints. */
  async open(name: string): Promise<App> {
    const cli = new Cli(['start', '--data', join(this.dir, name), '--network', this.network])
    this.#processes.push(cli)
    const context = await this.#browser.newContext({
      viewport: { width: 1280, height: 800 },
      locale: 'en-US',
    })
    return App.open(cli, context)
  }

  async stop(): Promise<void> {
    for (const process of this.#processes.reverse()) await process.stop()
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** One person's window, and the host's confirmations beside it. */
export class App {
  readonly cli: Cli
  readonly context: BrowserContext
  readonly page: Page
  words: string[] = []

  private constructor(cli: Cli, context: BrowserContext, page: Page) {
    this.cli = cli
    this.context = context
    this.page = page
  }

  static async open(cli: Cli, context: BrowserContext): Promise<App> {
    const { line } = await cli.line((l) => l.event === 'url')
    const page = await context.newPage()
    await page.goto(line.url as string)
    return new App(cli, context, page)
  }

  /** The open dialog; toasts have the same role. */
  get dialog() {
    return this.page.locator('[role=dialog]:not([aria-modal=false]), [role=alertdialog]')
  }

  async go(screen: string): Promise<void> {
    await this.page.evaluate((to) => {
      location.hash = `#/${to}`
    }, screen)
  }

  /** New vault with the words written down, as a person does it. */
  async createVault(): Promise<void> {
    const { page } = this
    await page.getByRole('button', { name: 'Create vault' }).click()
    const passwords = page.locator('input[type=password]')
    await passwords.nth(0).fill(PASSWORD)
    await passwords.nth(1).fill(PASSWORD)
    await page.getByRole('button', { name: 'Create vault' }).click()
    const list = page.getByRole('list', { name: 'Write down your 24 words' })
    await list.waitFor({ timeout: 60_000 })
    this.words = await list.locator('[translate=no]').allTextContents()
    await page.getByText('I have written down all 24 words').click()
    await page.getByRole('button', { name: 'Next' }).click()
    for (const field of await page.getByRole('textbox').all()) {
      const id = await field.getAttribute('id')
      const label = await page.locator(`label[for="${id}"]`).textContent()
      const number = Number(/\d+/.exec(label ?? '')?.[0])
      await field.fill(this.words[number - 1] as string)
    }
    await page.getByRole('button', { name: 'Check' }).click()
    await page.getByRole('button', { name: 'Open vault' }).click()
    await page.getByRole('navigation').first().waitFor()
  }

  async addNumber(title: string, value: string): Promise<void> {
    const { page } = this
    await this.go('data')
    await page.getByRole('button', { name: 'Add data' }).first().click()
    const { dialog } = this
    await dialog.getByLabel('Title').fill(title)
    await dialog.getByLabel('Number', { exact: true }).fill(value)
    await dialog.getByRole('button', { name: 'Add to vault' }).click()
    await dialog.waitFor({ state: 'hidden' })
  }

  /**
   * Does what asks for a confirmation, and answers it on the page that the host opens. `accept` false: says no.
   */
  async confirmed(act: () => Promise<void>, accept = true): Promise<void> {
    const from = this.cli.lines
    await act()
    const { line } = await this.cli.line((l) => l.event === 'confirm', from)
    const page = await this.context.newPage()
    await page.goto(line.url as string)
    await page.locator(accept ? '#accept' : '#decline').click()
    await page.locator('#outcome').waitFor()
    await page.close()
  }
}
