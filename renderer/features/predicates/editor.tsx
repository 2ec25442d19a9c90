import { useState } from 'react'
import { useT } from '../../app/i18n/index.ts'
import { sharing } from '../../app/store/sharing.ts'
import { useStarted } from '../../app/store/use-started.ts'
import { Button } from '../../app/ui/button.tsx'
import { AlertDialog } from '../../app/ui/dialog.tsx'
import { Field } from '../../app/ui/field.tsx'
import { Input } from '../../app/ui/input.tsx'
import { Callout, Panel } from '../../app/ui/panel.tsx'
import { ErrorState } from '../../app/ui/states.tsx'
import { useNames } from '../identities/names.ts'
import { JobProgress } from '../share/job-progress.tsx'
import { RuleBuilder } from './builder.tsx'
import { type Group, normalise, problemOf } from './model.ts'
import { OnChain } from './on-chain.tsx'
import { sayRule } from './say-rule.ts'
import { TestCases } from './test-cases.tsx'

/** A new rule: sentences on one side, what goes on chain on the other, test cases below. */
export function RuleEditor({
  initial,
  initialName,
  onClose,
  onPublished,
}: {
  initial: Group
  initialName: string
  onClose: () => void
  onPublished: (predicateId: string | undefined) => void
}) {
  const t = useT()
  const names = useNames()
  const [rule, setRule] = useState(initial)
  const [label, setLabel] = useState(initialName)
  const [leaving, setLeaving] = useState(false)
  const publish = useStarted(sharing.publishPredicate)
  const problem = problemOf(rule)
  const complete = problem === undefined ? normalise(rule) : undefined
  const touched = rule !== initial
  const started = publish.jobId !== undefined
  const done = publish.job?.state === 'done'
  return (
    <div className="mx-auto flex w-full max-w-6xl flex-col gap-4 p-6 max-md:p-4">
      <div className="flex flex-wrap items-start justify-between gap-3">
        <Field
          label={t('predicates.name')}
          hint={t('predicates.name.help')}
          required
          className="w-full max-w-sm"
        >
          <Input
            value={label}
            maxLength={200}
            placeholder={t('predicates.name.placeholder')}
            onChange={(event) => setLabel(event.target.value)}
          />
        </Field>
        <div className="mt-6 flex gap-2">
          <Button onClick={() => (touched && !done ? setLeaving(true) : onClose())}>
            {t(done ? 'predicates.back' : 'predicates.cancel')}
          </Button>
          <Button
            variant="primary"
            disabled={complete === undefined || label.trim() === '' || started}
            loading={publish.pending}
            onClick={() => complete !== undefined && void publish.run(label.trim(), complete)}
          >
            {t(publish.pending ? 'predicates.publishing' : 'predicates.publish')}
          </Button>
        </div>
      </div>
      {publish.error !== undefined && <ErrorState error={publish.error} />}
      {started && (
        <Panel title={t('predicates.publishing')}>
          <JobProgress job={publish.job} label={t('predicates.publish')} onRetry={publish.reset} />
          {done && (
            <Callout
              tone="success"
              className="mt-4"
              title={t('predicates.published')}
              actions={
                <Button
                  variant="primary"
                  size="sm"
                  onClick={() => onPublished(publish.job?.result?.predicate)}
                >
                  {t('predicates.back')}
                </Button>
              }
            />
          )}
        </Panel>
      )}
      <div className="grid grid-cols-[minmax(0,3fr)_minmax(0,2fr)] items-start gap-4 max-xl:grid-cols-1">
        <Panel title={t('predicates.rule')}>
          <RuleBuilder value={rule} onChange={setRule} names={names} />
        </Panel>
        <div className="flex flex-col gap-4">
          <Panel title={t('predicates.sentence')}>
            <p aria-live="polite">
              {problem === 'empty' ? t('predicates.problem.empty') : sayRule(rule, names.words)}
            </p>
            {problem !== undefined && problem !== 'empty' && (
              <Callout tone="warning" className="mt-3">
                {t(`predicates.problem.${problem}`)}
              </Callout>
            )}
          </Panel>
          <Panel title={t('predicates.onChain')}>
            <OnChain rule={complete} />
          </Panel>
          <p className="px-1 text-xs text-muted">{t('predicates.publish.text')}</p>
        </div>
      </div>
      <Panel title={t('predicates.tests.title')} description={t('predicates.tests.text')}>
        <TestCases rule={complete} names={names} />
      </Panel>
      <AlertDialog
        open={leaving}
        onOpenChange={setLeaving}
        title={t('predicates.discard')}
        confirmLabel={t('predicates.discard')}
        onConfirm={onClose}
      >
        {t('predicates.discard.text')}
      </AlertDialog>
    </div>
  )
}
