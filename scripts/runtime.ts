/** Ends the program with a clear message where it cannot run. */
export function requireRuntime(): void {
  const [major = 0] = process.versions.node.split('.').map(Number)
  const platforms = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64', 'win32-arm64']
  const here = `${process.platform}-${process.arch}`
  if (!platforms.includes(here)) {
    console.error(`Enigma Vault does not run on ${here}; it runs on ${platforms.join(', ')}.`)
    process.exit(1)
  }
  if (major < 24) {
    console.error(
      `Node 24 is needed; this is ${process.version}. npm scripts use the pinned one: run \`npm ci\`, then the npm script.`,
    )
    process.exit(1)
  }
}
