import { useT } from '../../app/i18n/index.ts'
import { formatBytes, formatDuration, formatNumber } from '../../app/lib/format.ts'
import { useFreshStatus } from '../../app/store/node.ts'
import { appInfo, vaultStatus } from '../../app/store/vault.ts'
import { CopyButton, CopyText, Hash } from '../../app/ui/copy.tsx'
import { KeyValue } from '../../app/ui/key-value.tsx'
import { Panel } from '../../app/ui/panel.tsx'
import { SkeletonLines } from '../../app/ui/skeleton.tsx'
import { ErrorState } from '../../app/ui/states.tsx'

/** Network, version and figures for a bug report. None of them says anything about the data. */
export function About() {
  const t = useT()
  const info = appInfo.use({})
  const node = useFreshStatus()
  const vault = vaultStatus.use({}).data
  const error = info.error ?? node.error
  if (info.data === undefined || node.data === undefined)
    return error === undefined ? (
      <SkeletonLines />
    ) : (
      <ErrorState
        error={error}
        onRetry={() => {
          info.reload()
          node.reload()
        }}
      />
    )
  const { version, host, dataDir, network } = info.data
  const { chain, process, peers, peerId } = node.data
  const report = JSON.stringify(
    {
      version,
      host,
      network,
      chain,
      process,
      peers: peers.length,
      state: node.data.state,
      agent: navigator.userAgent,
    },
    null,
    2,
  )
  return (
    <div className="flex flex-col gap-4">
      <Panel title={t('settings.network')}>
        <KeyValue
          rows={[
            [t('settings.network.kind'), t(`settings.network.${network}`)],
            [t('settings.chain'), `${chain.chainId} · ${chain.endpoint}`],
            [
              t('settings.chain.state'),
              t(chain.healthy ? 'settings.chain.healthy' : 'settings.chain.silent', {
                height: formatNumber(chain.height),
              }),
            ],
            [t('settings.confirmations'), formatNumber(chain.confirmations)],
            [t('settings.peers'), formatNumber(peers.filter((p) => p.connected).length)],
          ]}
        />
      </Panel>
      <Panel title={t('settings.aboutApp')}>
        <KeyValue
          rows={[
            [t('settings.version'), version],
            [t('settings.host'), t(`settings.host.${host}`)],
            [t('settings.dataDir'), <CopyText key="d" text={dataDir} />],
            vault?.account !== undefined && [
              t('settings.account'),
              <Hash key="a" value={vault.account} full />,
            ],
            vault?.publicKey !== undefined && [
              t('settings.publicKey'),
              <Hash key="k" value={vault.publicKey} full />,
            ],
          ]}
        />
      </Panel>
      <Panel
        title={t('settings.diagnostics')}
        description={t('settings.diagnostics.text')}
        actions={<CopyButton text={report} label={t('settings.diagnostics.copy')} />}
      >
        <KeyValue
          rows={[
            [t('settings.memory'), formatBytes(process.rssBytes)],
            [t('settings.cpu'), formatDuration(process.cpuSeconds)],
            [t('settings.uptime'), formatDuration(process.uptimeSeconds)],
            [t('settings.reorganisations'), formatNumber(chain.reorganisations)],
            [t('settings.peerId'), <CopyText key="p" text={peerId} />],
          ]}
        />
      </Panel>
    </div>
  )
}
