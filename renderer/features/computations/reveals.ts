import { hasMessage, useT } from '../../app/i18n/index.ts'

/** What a requester learns, in words, from the key that the node gives ("mean", "function.mean.reveals"). */
export function useRevealsText(): (reveals: string) => string {
  const t = useT()
  return (reveals) => {
    const name = /^(?:function\.)?([A-Za-z-]+)(?:\.reveals)?$/.exec(reveals)?.[1] ?? ''
    const key = `computations.reveals.${name}`
    return hasMessage(key) ? t(key) : t('computations.reveals.other')
  }
}
