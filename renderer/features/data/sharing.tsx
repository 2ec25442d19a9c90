import { Eye, Share2 } from 'lucide-react'
import { useState } from 'react'
import type { ShareInfo } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { formatDate } from '../../app/lib/format.ts'
import { access } from '../../app/store/sharing.ts'
import { Badge } from '../../app/ui/badge.tsx'
import { Button } from '../../app/ui/button.tsx'
import { Hash } from '../../app/ui/copy.tsx'
import { Details } from '../../app/ui/details.tsx'
import { KeyValue } from '../../app/ui/key-value.tsx'
import { ShareRingFigure } from '../../app/ui/share-ring.tsx'
import { Time } from '../../app/ui/time.tsx'
import { DeclassifyDialog } from '../declassify/dialog.tsx'

/** Each sharing of a record: its ring, who may use it, and revealing it. */
export function Sharing({
  shares,
  onShare,
}: {
  shares: readonly ShareInfo[]
  onShare?: (() => void) | undefined
}) {
  const t = useT()
  if (shares.length === 0)
    return (
      <div className="flex flex-wrap items-center justify-between gap-3 rounded-lg border border-dashed border-control px-4 py-3 text-sm">
        <span className="min-w-0 flex-1 basis-60 text-muted">{t('data.notShared')}</span>
        {onShare !== undefined && (
          <Button size="sm" icon={<Share2 aria-hidden />} onClick={onShare}>
            {t('data.share')}
          </Button>
        )}
      </div>
    )
  return (
    <ul className="flex flex-col gap-3">
      {shares.map((share) => (
        <li key={share.ref}>
          <ShareCard share={share} />
        </li>
      ))}
    </ul>
  )
}

function ShareCard({ share }: { share: ShareInfo }) {
  const t = useT()
  const [revealing, setRevealing] = useState(false)
  const grant = access.use({}).data?.grants.find((g) => g.ref === share.ref)
  const revoked = share.state === 'revoked'
  return (
    <div className="rounded-lg border border-line bg-surface p-4">
      <div className="flex flex-wrap items-center justify-between gap-4">
        <ShareRingFigure
          holders={share.holders}
          threshold={share.t + 1}
          revoked={revoked}
          title={share.column ?? (share.length === 1 ? t('data.share.one') : t('data.share.all'))}
        >
          {grant !== undefined && !revoked && (
            <p className="mt-1 text-xs text-muted">
              {t('data.share.identity', { identity: grant.identity.label })}
              {grant.usesLeft !== undefined && ` · ${t('data.share.uses', { count: grant.usesLeft })}`}
              {grant.expiresAt !== undefined &&
                ` · ${t('data.share.until', { date: formatDate(grant.expiresAt) })}`}
            </p>
          )}
        </ShareRingFigure>
        <div className="flex items-center gap-2">
          {grant !== undefined && grant.state !== 'active' && (
            <Badge tone={grant.state === 'revoked' ? 'neutral' : 'warning'}>
              {t(`data.grant.${grant.state}`)}
            </Badge>
          )}
          {!revoked && (
            <Button size="sm" icon={<Eye aria-hidden />} onClick={() => setRevealing(true)}>
              {t('data.reveal')}
            </Button>
          )}
        </div>
      </div>
      <Details className="mt-3">
        <KeyValue
          rows={[
            [t('data.ref'), <Hash key="ref" value={share.ref} />],
            [t('data.predicateId'), <Hash key="p" value={share.predicateId} />],
            [t('data.identityAddress'), <Hash key="i" value={share.identity} />],
            [t('data.scheme'), t('data.scheme.value', { n: share.n, t: share.t, length: share.length })],
            [t('data.sharedAt'), <Time key="at" at={share.createdAt} absolute />],
            [
              t('data.holders'),
              <ul key="h" className="flex flex-col">
                {share.holders.map((holder) => (
                  <li key={holder.index} className="flex items-center gap-2">
                    <span className="w-5 text-end text-xs text-muted">{holder.index}</span>
                    <Hash value={holder.nodeId} />
                    <span className={holder.healthy ? 'text-xs text-muted' : 'text-xs text-warning'}>
                      {t(holder.healthy ? 'data.holder.healthy' : 'data.holder.silent')}
                    </span>
                  </li>
                ))}
              </ul>,
            ],
          ]}
        />
      </Details>
      {revealing && <DeclassifyDialog share={share} open={revealing} onOpenChange={setRevealing} />}
    </div>
  )
}
