import { CirclePause, CirclePlay, LoaderCircle, OctagonX } from 'lucide-react'
import { useState } from 'react'
import type { NodeStatus } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { formatDuration, formatNumber } from '../../app/lib/format.ts'
import { useAction } from '../../app/store/action.ts'
import { node, useFreshStatus } from '../../app/store/node.ts'
import { Badge, type Tone } from '../../app/ui/badge.tsx'
import { Button } from '../../app/ui/button.tsx'
import { AlertDialog } from '../../app/ui/dialog.tsx'
import { Page } from '../../app/ui/page.tsx'
import { SkeletonLines } from '../../app/ui/skeleton.tsx'
import { ErrorState } from '../../app/ui/states.tsx'
import { ChainPanel } from './chain.tsx'
import { DepositPanel } from './deposit.tsx'
import { NetworkDetails } from './details.tsx'
import { PeersPanel } from './peers.tsx'
import { StoragePanel } from './storage.tsx'
import { WalletPanel } from './wallet.tsx'

const states: Record<NodeStatus['state'], { tone: Tone; icon: typeof OctagonX }> = {
  starting: { tone: 'accent', icon: LoaderCircle },
  running: { tone: 'success', icon: CirclePlay },
  paused: { tone: 'warning', icon: CirclePause },
  stopped: { tone: 'danger', icon: OctagonX },
}

export default function NodePage() {
  const t = useT()
  const { data, error, reload } = useFreshStatus()
  const [asking, setAsking] = useState(false)
  const pause = useAction(node.pause)
  const resume = useAction(node.resume)
  const running = data?.state === 'running' || data?.state === 'starting'
  const failed = pause.error ?? resume.error
  return (
    <Page
      title={t('node.title')}
      description={t('node.lead')}
      actions={
        data !== undefined &&
        (running ? (
          <Button icon={<CirclePause aria-hidden />} loading={pause.pending} onClick={() => setAsking(true)}>
            {t(pause.pending ? 'node.pausing' : 'node.pause')}
          </Button>
        ) : (
          <Button
            variant="primary"
            icon={<CirclePlay aria-hidden />}
            loading={resume.pending}
            onClick={() => void resume.run()}
          >
            {t(resume.pending ? 'node.starting' : 'node.start')}
          </Button>
        ))
      }
    >
      {error !== undefined && data === undefined ? (
        <ErrorState error={error} onRetry={reload} />
      ) : data === undefined ? (
        <SkeletonLines lines={8} />
      ) : (
        <div className="flex flex-col gap-4">
          {failed !== undefined && <ErrorState error={failed} />}
          <Summary status={data} />
          <div className="grid grid-cols-2 items-start gap-4 max-lg:grid-cols-1">
            <div className="flex min-w-0 flex-col gap-4">
              <StoragePanel status={data} />
              <PeersPanel peers={data.peers} />
            </div>
            <div className="flex min-w-0 flex-col gap-4">
              <WalletPanel />
              <DepositPanel status={data} />
              <ChainPanel chain={data.chain} />
            </div>
          </div>
          <NetworkDetails status={data} />
        </div>
      )}
      <AlertDialog
        open={asking}
        onOpenChange={setAsking}
        danger={false}
        title={t('node.pause.title')}
        confirmLabel={t('node.pause')}
        onConfirm={() => {
          setAsking(false)
          void pause.run()
        }}
      >
        {t('node.pause.text')}
      </AlertDialog>
    </Page>
  )
}

/** State in words, uptime, peers and work done: the line an operator looks at first. */
function Summary({ status }: { status: NodeStatus }) {
  const t = useT()
  const { tone, icon: Icon } = states[status.state]
  const connected = status.peers.filter((p) => p.connected).length
  const text =
    status.state === 'running' && !status.serving
      ? t('node.state.text.running.client')
      : t(`node.state.text.${status.state}`)
  const facts = [
    [t('node.uptime'), formatDuration(status.process.uptimeSeconds)],
    [t('node.peers'), t('node.peers.value', { connected, total: status.peers.length })],
    [t('node.computations'), formatNumber(status.computations)],
  ]
  return (
    <section className="flex flex-wrap items-center justify-between gap-x-8 gap-y-3 rounded-lg border border-line bg-surface px-4 py-3">
      <div className="flex min-w-0 flex-wrap items-center gap-3">
        <Badge tone={tone} icon={<Icon aria-hidden />}>
          {t(`node.state.${status.state}`)}
        </Badge>
        <p className="text-sm text-muted">{text}</p>
      </div>
      <dl className="flex flex-wrap gap-x-8 gap-y-2 text-sm">
        {facts.map(([label, value]) => (
          <div key={label}>
            <dt className="text-xs text-muted">{label}</dt>
            <dd className="font-medium">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
