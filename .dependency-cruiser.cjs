/**
 * The import order of the house. A folder imports only from folders before it; folders of one inner list do not
 * import each other. `storage` implements interfaces of others (their types.ts) and is wired by `node`.
 */
const ORDER = [
  ['base'],
  ['kernel'],
  ['field'],
  // Pedersen's verifiable sharing stands on its commitments.
  ['commitments'],
  ['sharing', 'circuits'],
  ['language'],
  ['transport'],
  ['bgv'],
  ['preprocessing'],
  ['shamir-mpc', 'spdz'],
  ['audit'],
  ['hierarchy', 'committee'],
  ['identity', 'predicates', 'incentives', 'ledger', 'dht', 'wallet'],
  ['market', 'vault'],
  ['node'],
]
/** Outside the line: `ipc` stands on base and zod alone, `storage` on everyone's types. */
const ASIDE = ['ipc', 'storage']

const folder = (names) => `^core/(${names.join('|')})/`
const all = ORDER.flat()

const order = ORDER.flatMap((level, i) =>
  level.map((name) => {
    const later = [...level.filter((other) => other !== name), ...ORDER.slice(i + 1).flat()]
    // Only the composer may name storage; ipc's types are the face that node implements.
    const aside = name === 'node' ? [] : ['storage', 'ipc']
    return {
      name: `order-${name}`,
      comment: `core/${name} imports only from folders before it`,
      severity: 'error',
      from: { path: folder([name]) },
      to: { path: folder([...later, ...aside, '__none__']) },
    }
  }),
)

const only = (name, packages, from) => ({
  name,
  severity: 'error',
  from: { path: '^(core|main|renderer)/', pathNot: from },
  to: { path: packages },
})

module.exports = {
  forbidden: [
    ...order,
    {
      name: 'ipc-stands-alone',
      severity: 'error',
      from: { path: '^core/ipc/' },
      to: { path: '^core/', pathNot: '^core/(ipc|base)/' },
    },
    {
      name: 'storage-implements-types',
      comment: 'storage sees the interfaces of other folders, and base; never their code',
      severity: 'error',
      from: { path: '^core/storage/' },
      to: { path: '^core/', pathNot: '^core/(storage|base)/|^core/[^/]+/types\\.ts$' },
    },
    {
      name: 'core-knows-no-host',
      severity: 'error',
      from: { path: '^core/' },
      to: { path: '^(main|renderer|scripts|test)/' },
    },
    {
      name: 'main-knows-no-renderer',
      severity: 'error',
      from: { path: '^main/' },
      to: { path: '^(renderer|scripts|test)/' },
    },
    {
      name: 'renderer-knows-the-contract-only',
      severity: 'error',
      from: { path: '^renderer/' },
      to: { path: '^(core|main|scripts|test)/', pathNot: '^core/ipc/' },
    },
    {
      name: 'main-composes-through-node',
      comment: 'the hosts use the contract, the node, base, and the local chain of a devnet; nothing below',
      severity: 'error',
      from: { path: '^main/' },
      to: { path: '^core/', pathNot: '^core/(base|ipc|node)/|^core/ledger/(devnet|types)\\.ts$' },
    },
    {
      name: 'no-circles',
      severity: 'error',
      from: { path: '^(core|main|renderer)/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-unresolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^(electron|virtual:)' },
    },
    only('ethers-in-ledger-and-wallet', '^node_modules/ethers/', '^core/(ledger|wallet)/'),
    only(
      'libp2p-in-transport-and-dht',
      '^node_modules/(@?libp2p|@chainsafe/libp2p-)[^/]*/',
      '^core/(transport|dht)/',
    ),
    only('electron-in-main', '^node_modules/electron/', '^main/'),
    only('react-in-renderer', '^node_modules/react(-dom)?/', '^renderer/'),
    only(
      'sqlite-in-storage',
      '^node_modules/better-sqlite3/',
      '^(core/storage/|main/host/instance-lock\\.ts)',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|core/kernel/assembly)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      extensions: ['.ts', '.tsx', '.js', '.cjs', '.json'],
      conditionNames: ['import', 'node', 'types', 'default'],
    },
  },
}

// For scripts/test.ts, which checks that every folder of core has a place; not an option of dependency-cruiser.
Object.defineProperty(module.exports, 'places', { value: [...all, ...ASIDE] })
