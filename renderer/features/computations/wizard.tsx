import { useMemo, useState } from 'react'
import type { ComputeFunction } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { cn } from '../../app/lib/cn.ts'
import { compute, functions, references } from '../../app/store/compute.ts'
import { isActive } from '../../app/store/jobs.ts'
import { useStarted } from '../../app/store/use-started.ts'
import { Button } from '../../app/ui/button.tsx'
import { RadioGroup } from '../../app/ui/checkbox.tsx'
import { Dialog } from '../../app/ui/dialog.tsx'
import { SkeletonLines } from '../../app/ui/skeleton.tsx'
import { ErrorState } from '../../app/ui/states.tsx'
import { useNames } from '../identities/names.ts'
import { JobProgress } from '../share/job-progress.tsx'
import { ParamsForm } from './params-form.tsx'
import { PickData } from './pick-data.tsx'
import { Review } from './review.tsx'
import {
  committees,
  MAX_REFERENCES,
  newRequest,
  PROTOCOLS,
  paramProblem,
  type Request,
  STEPS,
  suits,
  toParams,
} from './wizard-model.ts'

/** Function → data → parameters → committee → review; then the request on its way to the chain. */
export function RequestWizard({
  open,
  onOpenChange,
  onFollow,
}: {
  open: boolean
  onOpenChange: (open: boolean) => void
  onFollow: (id: string | undefined) => void
}) {
  const t = useT()
  const names = useNames()
  const offered = functions.use(open ? {} : undefined)
  const available = references.use(open ? {} : undefined)
  const [request, setRequest] = useState<Request>(newRequest)
  const [at, setAt] = useState(0)
  const send = useStarted(compute.request)
  const step = STEPS[at]!
  const started = send.jobId !== undefined
  const { fn } = request
  const chosen = useMemo(() => {
    const wanted = new Set(request.refs)
    return available.data?.references.filter((r) => wanted.has(r.ref)) ?? []
  }, [available.data, request.refs])
  const set = (part: Partial<Request>) => setRequest((before) => ({ ...before, ...part }))
  const ok: Record<(typeof STEPS)[number], boolean> = {
    function: fn !== undefined,
    data:
      request.refs.length > 0 && request.refs.length <= MAX_REFERENCES && chosen.every((r) => suits(fn, r)),
    params:
      fn?.params.every(
        (p) => paramProblem(fn, p.name, request.params[p.name] ?? '', chosen) === undefined,
      ) === true,
    committee: true,
    review: true,
  }
  const reachable = STEPS.findIndex((s) => !ok[s])
  const close = (next: boolean) => {
    if (!next && (!started || send.job === undefined || !isActive(send.job))) send.reset()
    if (!next && started) {
      setRequest(newRequest())
      setAt(0)
      send.reset()
    }
    onOpenChange(next)
  }
  const submit = () => {
    if (fn === undefined) return
    const params = toParams(request)
    void send.run({
      function: fn.id,
      refs: [...request.refs],
      protocol: request.protocol,
      n: request.n,
      t: request.t,
      ...(Object.keys(params).length === 0 ? {} : { params }),
      ...(request.label.trim() === '' ? {} : { label: request.label.trim() }),
    })
  }
  return (
    <Dialog
      open={open}
      onOpenChange={close}
      size="xl"
      dismissible={false}
      title={t(started ? 'computations.wizard.sent' : 'computations.wizard.title')}
      footer={
        started ? (
          <>
            <Button
              onClick={() => {
                onFollow(send.job?.result?.job)
                close(false)
              }}
              variant="primary"
            >
              {t('computations.wizard.sent.open')}
            </Button>
            <Button onClick={() => close(false)}>{t('computations.wizard.close')}</Button>
          </>
        ) : (
          <>
            <Button onClick={() => close(false)}>{t('computations.wizard.cancel')}</Button>
            <span className="flex-1" />
            <Button disabled={at === 0 || send.pending} onClick={() => setAt(at - 1)}>
              {t('computations.wizard.back')}
            </Button>
            {step === 'review' ? (
              <Button variant="primary" loading={send.pending} onClick={submit} disabled={reachable >= 0}>
                {t(send.pending ? 'computations.wizard.sending' : 'computations.wizard.send')}
              </Button>
            ) : (
              <Button variant="primary" disabled={!ok[step]} onClick={() => setAt(at + 1)}>
                {t('computations.wizard.next')}
              </Button>
            )}
          </>
        )
      }
    >
      {started ? (
        <JobProgress
          job={send.job}
          label={t('computations.wizard.sent')}
          onRetry={send.reset}
          note={<p className="text-sm text-muted">{t('share.progress.text')}</p>}
        />
      ) : (
        <div className="flex min-h-96 flex-col gap-5">
          <Steps at={at} reachable={reachable < 0 ? STEPS.length - 1 : reachable} onStep={setAt} />
          <h3 className="text-lg font-medium" aria-live="polite">
            {t(
              step === 'params'
                ? 'computations.step.params'
                : (`computations.wizard.${step}` as 'computations.wizard.data'),
            )}
          </h3>
          {step === 'function' &&
            (offered.error !== undefined ? (
              <ErrorState error={offered.error} onRetry={offered.reload} />
            ) : offered.data === undefined ? (
              <SkeletonLines lines={6} />
            ) : (
              <FunctionCards
                functions={offered.data.functions}
                value={fn}
                onChange={(next) => set({ fn: next, params: {} })}
              />
            ))}
          {step === 'data' && (
            <PickData fn={fn} selected={request.refs} onChange={(refs) => set({ refs })} names={names} />
          )}
          {step === 'params' && fn !== undefined && (
            <ParamsForm
              fn={fn}
              values={request.params}
              onChange={(params) => set({ params })}
              chosen={chosen}
            />
          )}
          {step === 'committee' && (
            <div className="flex max-w-2xl flex-col gap-3">
              <p className="text-sm text-muted">{t('computations.wizard.protocol.text')}</p>
              <RadioGroup
                cards
                label={t('computations.protocol')}
                value={request.protocol}
                onValueChange={(protocol) => {
                  const options = committees(protocol)
                  set({ protocol, ...(options.find((c) => c.n === request.n) ?? options[0]) })
                }}
                options={PROTOCOLS.map((protocol) => ({
                  value: protocol,
                  label: t(`computations.protocol.${protocol}`),
                  hint: t(`computations.protocol.${protocol}.text`),
                }))}
              />
              <p className="mt-2 text-sm text-muted">{t('computations.wizard.committee.text')}</p>
              <RadioGroup
                cards
                label={t('computations.wizard.committee')}
                value={String(request.n)}
                onValueChange={(n) => {
                  const option = committees(request.protocol).find((c) => String(c.n) === n)
                  if (option !== undefined) set(option)
                }}
                options={committees(request.protocol).map((c) => ({
                  value: String(c.n),
                  label: `${t('computations.wizard.committee.option', { n: c.n })}${
                    c.n === 3 ? ` · ${t('computations.wizard.committee.default')}` : ''
                  }`,
                  hint: t('computations.wizard.committee.option.text', {
                    needed: c.t + 1,
                  }),
                }))}
              />
            </div>
          )}
          {step === 'review' && fn !== undefined && (
            <Review
              request={request}
              chosen={chosen}
              names={names}
              onLabel={(label) => set({ label })}
              pending={send.pending}
              error={send.error}
            />
          )}
        </div>
      )}
    </Dialog>
  )
}

function Steps({ at, reachable, onStep }: { at: number; reachable: number; onStep: (step: number) => void }) {
  const t = useT()
  return (
    <ol className="flex flex-wrap gap-1 border-b border-line pb-3">
      {STEPS.map((step, i) => (
        <li key={step}>
          <button
            type="button"
            disabled={i > Math.max(at, reachable)}
            aria-current={i === at ? 'step' : undefined}
            onClick={() => onStep(i)}
            className={cn(
              'flex h-8 items-center gap-2 rounded-md px-2.5 text-sm text-muted not-disabled:hover:bg-hover disabled:cursor-not-allowed disabled:text-faint',
              i === at && 'bg-accent-soft font-medium text-accent-text hover:bg-accent-soft',
            )}
          >
            <span
              className={cn(
                'flex size-5 items-center justify-center rounded-full border text-xs',
                i === at ? 'border-accent' : 'border-control',
              )}
            >
              {i + 1}
            </span>
            {t(`computations.step.${step}`)}
          </button>
        </li>
      ))}
    </ol>
  )
}

function FunctionCards({
  functions: offered,
  value,
  onChange,
}: {
  functions: readonly ComputeFunction[]
  value: ComputeFunction | undefined
  onChange: (fn: ComputeFunction) => void
}) {
  const t = useT()
  return (
    <RadioGroup
      cards
      className="grid grid-cols-2 gap-3 max-md:grid-cols-1"
      label={t('computations.wizard.function.choose')}
      value={value?.id ?? ('' as ComputeFunction['id'])}
      onValueChange={(id) => {
        const fn = offered.find((f) => f.id === id)
        if (fn !== undefined) onChange(fn)
      }}
      options={offered.map((fn) => ({
        value: fn.id,
        label: t(`computations.function.${fn.id}`),
        hint: (
          <>
            {t(`computations.function.${fn.id}.text`)}
            <span className="block">{t(`computations.input.${fn.input}`)}</span>
          </>
        ),
      }))}
    />
  )
}
