import type { NodeService } from '../../core/ipc/index.ts'
import type { Language } from './confirm-text.ts'

/** The owner's language; English when the node cannot say. */
export async function languageOf(service: NodeService): Promise<Language> {
  try {
    const context = { principal: 'local', confirm: () => Promise.resolve(false) } as const
    return (await service.call('settings.get', {}, context)).language === 'zh' ? 'zh' : 'en'
  } catch {
    return 'en'
  }
}
