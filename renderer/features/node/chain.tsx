import { CircleCheck, CircleX } from 'lucide-react'
import type { NodeStatus } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { formatNumber } from '../../app/lib/format.ts'
import { Badge } from '../../app/ui/badge.tsx'
import { Details } from '../../app/ui/details.tsx'
import { KeyValue } from '../../app/ui/key-value.tsx'
import { Callout, Panel } from '../../app/ui/panel.tsx'

export function ChainPanel({ chain }: { chain: NodeStatus['chain'] }) {
  const t = useT()
  return (
    <Panel
      title={t('node.chain')}
      description={t(`node.chain.${chain.kind}`)}
      actions={
        <Badge
          tone={chain.healthy ? 'success' : 'danger'}
          icon={chain.healthy ? <CircleCheck aria-hidden /> : <CircleX aria-hidden />}
        >
          {t(chain.healthy ? 'node.chain.healthy' : 'node.chain.unhealthy')}
        </Badge>
      }
    >
      {!chain.healthy && (
        <Callout tone="warning" className="mb-3">
          {t('node.chain.unhealthy.text')}
        </Callout>
      )}
      <KeyValue rows={[[t('node.chain.height'), formatNumber(chain.height)]]} />
      <Details className="mt-3">
        <KeyValue
          rows={[
            [t('node.chain.id'), String(chain.chainId)],
            [
              t('node.chain.endpoint'),
              <span key="e" className="font-mono text-xs break-all">
                {chain.endpoint}
              </span>,
            ],
            [t('node.chain.confirmations'), String(chain.confirmations)],
            [t('node.chain.reorganisations'), String(chain.reorganisations)],
          ]}
        />
      </Details>
    </Panel>
  )
}
