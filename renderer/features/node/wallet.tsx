import { useT } from '../../app/i18n/index.ts'
import { formatWei } from '../../app/lib/format.ts'
import { useAction } from '../../app/store/action.ts'
import { node, wallet } from '../../app/store/node.ts'
import { Button } from '../../app/ui/button.tsx'
import { Hash } from '../../app/ui/copy.tsx'
import { KeyValue } from '../../app/ui/key-value.tsx'
import { Panel } from '../../app/ui/panel.tsx'
import { SkeletonLines } from '../../app/ui/skeleton.tsx'
import { ErrorState } from '../../app/ui/states.tsx'
import { toast } from '../../app/ui/toast.tsx'

/** Below this a share or a request may not find the network fee: 0.01 coins. */
const LOW_WEI = 10n ** 16n

export function WalletPanel() {
  const t = useT()
  const { data, error, reload } = wallet.use({})
  const faucet = useAction(async () => {
    await node.faucet()
    toast({ title: t('node.faucet.done'), tone: 'success' })
  })
  const coins = (wei: string) => `${formatWei(wei)} ETH`
  return (
    <Panel
      title={t('node.wallet')}
      actions={
        data?.canUseFaucet && (
          <Button size="sm" loading={faucet.pending} onClick={() => void faucet.run()}>
            {t(faucet.pending ? 'node.faucet.running' : 'node.faucet')}
          </Button>
        )
      }
    >
      {error !== undefined && data === undefined ? (
        <ErrorState error={error} onRetry={reload} />
      ) : data === undefined ? (
        <SkeletonLines lines={3} />
      ) : (
        <>
          <KeyValue
            rows={[
              [
                t('node.wallet.balance'),
                <span key="balance">
                  <span className="font-medium">{coins(data.balanceWei)}</span>
                  {BigInt(data.balanceWei) < LOW_WEI && (
                    <span className="block text-xs text-warning">{t('node.wallet.low')}</span>
                  )}
                </span>,
              ],
              [t('node.wallet.depositBalance'), coins(data.depositBalanceWei)],
              [t('node.wallet.locked'), coins(data.lockedWei)],
              [t('node.wallet.account'), <Hash key="account" value={data.account} />],
              [t('node.wallet.deposit'), <Hash key="deposit" value={data.depositAccount} />],
            ]}
          />
          {data.canUseFaucet && <p className="mt-3 text-xs text-muted">{t('node.faucet.text')}</p>}
          {faucet.error !== undefined && <ErrorState error={faucet.error} className="mt-3" />}
        </>
      )}
    </Panel>
  )
}
