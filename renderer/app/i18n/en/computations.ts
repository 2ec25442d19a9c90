export const computations = {} as const
