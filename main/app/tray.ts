import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Menu, nativeImage, Tray } from 'electron'
import type { NodeClient } from '../host/client.ts'
import type { Language } from '../host/confirm-text.ts'
import { type TrayAction, type TrayState, trayMenu, trayTitle } from './tray-model.ts'

/** State, pending approvals, pause, lock, open and quit beside the clock. */
export class AppTray {
  readonly #tray: Tray
  readonly #act: (action: TrayAction) => void
  #state: TrayState = { vault: 'unknown', node: 'starting', approvals: 0 }
  #language: Language = 'en'

  constructor(assets: string, act: (action: TrayAction) => void) {
    const file = join(assets, 'icons', process.platform === 'darwin' ? 'trayTemplate.png' : 'tray.png')
    this.#tray = new Tray(existsSync(file) ? nativeImage.createFromPath(file) : nativeImage.createEmpty())
    this.#act = act
    this.#tray.on('click', () => act('open'))
    this.#draw()
  }

  /** Follows a node until its process ends. */
  follow(client: NodeClient): void {
    let again = false
    let reading = false
    const read = async () => {
      if (reading) {
        again = true
        return
      }
      reading = true
      do {
        again = false
        await this.#read(client)
      } while (again)
      reading = false
    }
    client.subscribe((event) => {
      if (['vault', 'node', 'approvals', 'settings'].includes(event.type)) void read()
    })
    client.onClose(() => {
      this.#state = { vault: 'unknown', node: 'stopped', approvals: 0 }
      this.#draw()
    })
    void read()
  }

  async #read(client: NodeClient): Promise<void> {
    const [vault, node, approvals, settings] = await Promise.allSettled([
      client.call('vault.status', {}),
      client.call('node.status', {}),
      client.call('approvals.list', {}),
      client.call('settings.get', {}),
    ])
    this.#state = {
      vault: vault.status === 'fulfilled' ? vault.value.state : 'unknown',
      node: node.status === 'fulfilled' ? node.value.state : 'starting',
      approvals:
        approvals.status === 'fulfilled'
          ? approvals.value.approvals.filter((a) => a.state === 'waiting').length
          : 0,
    }
    if (settings.status === 'fulfilled') this.#language = settings.value.language
    this.#draw()
  }

  #draw(): void {
    this.#tray.setToolTip(trayTitle(this.#state, this.#language))
    this.#tray.setContextMenu(
      Menu.buildFromTemplate(
        trayMenu(this.#state, this.#language).flatMap(({ label, action, separatorBefore }) => [
          ...(separatorBefore ? [{ type: 'separator' as const }] : []),
          action === undefined ? { label, enabled: false } : { label, click: () => this.#act(action) },
        ]),
      ),
    )
  }
}
