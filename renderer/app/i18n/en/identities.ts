export const identities = {} as const
