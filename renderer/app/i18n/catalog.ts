/** A catalog in another language has exactly the English one's keys. */
export type Catalog<C> = { readonly [K in keyof C]: string }
