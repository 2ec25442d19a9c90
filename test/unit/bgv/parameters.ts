import { bgvParameters } from '../../../core/bgv/parameters.ts'

/** Quick, and without any security: for tests of what does not depend on the dimension. */
export const testParameters = (n = 64, batch = 12) =>
  bgvParameters({ n, levels: 15, replyLevels: 6, batch, insecure: true })
