import { Circle, CircleDot } from 'lucide-react'
import { useMemo } from 'react'
import type { NodeStatus } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { Hash } from '../../app/ui/copy.tsx'
import { Table, type TableColumn } from '../../app/ui/table.tsx'

type Peer = NodeStatus['peers'][number]
const peerKey = (peer: Peer) => peer.nodeId

export function PeersPanel({ peers }: { peers: readonly Peer[] }) {
  const t = useT()
  const columns = useMemo<TableColumn<Peer>[]>(
    () => [
      {
        id: 'node',
        header: t('node.peers.node'),
        sort: (p) => p.nodeId,
        cell: (p) => <Hash value={p.nodeId} />,
      },
      {
        id: 'state',
        header: t('node.peers.state'),
        sort: (p) => Number(!p.connected),
        cell: (p) => (
          <span className="inline-flex items-center gap-1.5">
            {p.connected ? (
              <CircleDot aria-hidden className="size-3.5 text-success" />
            ) : (
              <Circle aria-hidden className="size-3.5 text-faint" />
            )}
            {t(p.connected ? 'node.peers.connected' : 'node.peers.away')}
          </span>
        ),
      },
      {
        id: 'role',
        header: t('node.peers.role'),
        sort: (p) => Number(!p.serving),
        cell: (p) => t(p.serving ? 'node.peers.serving' : 'node.peers.client'),
      },
    ],
    [t],
  )
  return (
    <section>
      <h2 className="mb-2 text-sm font-semibold">{t('node.peers')}</h2>
      <Table
        label={t('node.peers')}
        columns={columns}
        rows={peers}
        rowKey={peerKey}
        maxHeight={320}
        empty={<p className="px-3 py-6 text-center text-muted">{t('node.peers.none')}</p>}
      />
    </section>
  )
}
