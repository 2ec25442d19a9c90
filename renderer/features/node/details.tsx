import type { NodeStatus } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { formatBytes, formatDuration } from '../../app/lib/format.ts'
import { CopyText } from '../../app/ui/copy.tsx'
import { Details } from '../../app/ui/details.tsx'
import { KeyValue } from '../../app/ui/key-value.tsx'

/** Ids, addresses, and what the process uses of this computer. */
export function NetworkDetails({ status }: { status: NodeStatus }) {
  const t = useT()
  return (
    <Details label={`${t('node.identity')} · ${t('node.process')}`}>
      <KeyValue
        rows={[
          [t('node.nodeId'), <CopyText key="node" text={status.nodeId} />],
          [t('node.peerId'), <CopyText key="peer" text={status.peerId} />],
          [
            t('node.addresses'),
            status.addresses.length === 0 ? (
              t('node.addresses.none')
            ) : (
              <ul key="addresses">
                {status.addresses.map((address) => (
                  <li key={address}>
                    <CopyText text={address} />
                  </li>
                ))}
              </ul>
            ),
          ],
          [t('node.process.memory'), formatBytes(status.process.rssBytes)],
          [t('node.process.cpu'), formatDuration(status.process.cpuSeconds)],
        ]}
      />
    </Details>
  )
}
