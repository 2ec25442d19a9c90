export const predicates = {} as const
