import { create } from 'zustand'

/**
 * True from the first step of Welcome to its last. The vault is already open while the words are being
 * written down; leaving then would lose the only chance to see them.
 */
export const useOnboarding = create<{ active: boolean }>()(() => ({ active: false }))

export const setOnboarding = (active: boolean): void => useOnboarding.setState({ active })
