import { installFixture } from './fixture-service.ts'

installFixture()
await import('../../renderer/main.tsx')
