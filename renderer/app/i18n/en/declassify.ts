export const declassify = {} as const
