import { Printer } from 'lucide-react'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { useT } from '../../app/i18n/index.ts'
import { cn } from '../../app/lib/cn.ts'
import { passwordScore } from '../../app/lib/strength.ts'
import { useAction } from '../../app/store/action.ts'
import { vault } from '../../app/store/vault.ts'
import { Button } from '../../app/ui/button.tsx'
import { Checkbox } from '../../app/ui/checkbox.tsx'
import { Field } from '../../app/ui/field.tsx'
import { Input } from '../../app/ui/input.tsx'
import { Callout } from '../../app/ui/panel.tsx'
import { NewPasswordFields } from '../../app/ui/password-fields.tsx'
import { ErrorState } from '../../app/ui/states.tsx'
import { EmergencyKit } from './emergency-kit.tsx'
import { matchesWord, pickQuestions } from './quiz.ts'

type Step = 'password' | 'words' | 'quiz' | 'done'
const STEPS: Step[] = ['password', 'words', 'quiz', 'done']

export function StepHeading({ step, title }: { step?: readonly [number, number]; title: string }) {
  const t = useT()
  const heading = useRef<HTMLHeadingElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: each step's heading takes the focus
  useEffect(() => heading.current?.focus(), [title])
  return (
    <>
      {step !== undefined && (
        <p className="mb-1 text-xs text-muted">{t('welcome.step', { step: step[0], steps: step[1] })}</p>
      )}
      <h2 ref={heading} tabIndex={-1} className="mb-3 text-lg font-semibold outline-none">
        {title}
      </h2>
    </>
  )
}

/** Password → 24 words → quiz. The words live in this component only, and are gone with it. */
export function CreateSteps({ onBack, onDone }: { onBack: () => void; onDone: () => void }) {
  const t = useT()
  const [step, setStep] = useState<Step>('password')
  const [password, setPassword] = useState('')
  const [repeat, setRepeat] = useState('')
  const [tried, setTried] = useState(false)
  const [words, setWords] = useState<string[]>([])
  const [account, setAccount] = useState('')
  const [written, setWritten] = useState(false)
  const create = useAction(() => vault.create(password))
  const at = [STEPS.indexOf(step) + 1, 4] as const
  const exposed = words.length > 0 && step !== 'done'

  useEffect(() => {
    if (!exposed) return
    const warn = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', warn)
    return () => removeEventListener('beforeunload', warn)
  }, [exposed])

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (password !== repeat || passwordScore(password) === 0) return
    const made = await create.run()
    if (made === undefined) return
    setPassword('')
    setRepeat('')
    setWords(made.phrase)
    setAccount(made.account)
    setStep('words')
  }

  if (step === 'password')
    return (
      <form onSubmit={(event) => void submit(event)}>
        <StepHeading step={at} title={t('welcome.password.title')} />
        <p className="mb-4 text-muted">{t('welcome.password.text')}</p>
        <div className="flex max-w-md flex-col gap-4">
          <NewPasswordFields
            password={password}
            repeat={repeat}
            onPassword={setPassword}
            onRepeat={setRepeat}
            mismatch={tried && password !== repeat}
          />
          {tried && password !== '' && passwordScore(password) === 0 && (
            <Callout tone="warning">{t('welcome.password.weak')}</Callout>
          )}
          {create.error !== undefined && <ErrorState error={create.error} />}
        </div>
        <div className="mt-6 flex gap-2">
          <Button onClick={onBack} disabled={create.pending}>
            {t('ui.back')}
          </Button>
          <Button
            type="submit"
            variant="primary"
            loading={create.pending}
            disabled={password === '' || repeat === ''}
          >
            {create.pending ? t('welcome.password.working') : t('welcome.create')}
          </Button>
        </div>
      </form>
    )

  if (step === 'words')
    return (
      <div>
        <StepHeading step={at} title={t('welcome.words.title')} />
        <p className="mb-3 text-muted">{t('welcome.words.text')}</p>
        <ol
          aria-label={t('welcome.words.title')}
          className="grid grid-cols-4 gap-x-4 gap-y-1.5 rounded-lg border border-line bg-sunken p-4 select-none max-sm:grid-cols-2"
        >
          {words.map((word, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: words may repeat; their place is what they are
            <li key={`${index}-${word}`} className="flex items-baseline gap-2">
              <span aria-hidden className="w-5 text-end text-xs text-muted">
                {index + 1}
              </span>
              <span translate="no" className="font-mono text-sm font-medium">
                {word}
              </span>
            </li>
          ))}
        </ol>
        <Callout tone="warning" className="mt-3">
          {t('welcome.words.warning')}
        </Callout>
        <div className="mt-4 flex flex-wrap items-center justify-between gap-3">
          <Checkbox
            label={t('welcome.words.written')}
            checked={written}
            onCheckedChange={setWritten}
            className="min-w-60 flex-1"
          />
          <Button icon={<Printer aria-hidden />} onClick={() => window.print()}>
            {t('welcome.words.print')}
          </Button>
          <Button variant="primary" disabled={!written} onClick={() => setStep('quiz')}>
            {t('ui.next')}
          </Button>
        </div>
        <EmergencyKit words={words} account={account} />
      </div>
    )

  if (step === 'quiz')
    return (
      <Quiz
        words={words}
        heading={<StepHeading step={at} title={t('welcome.quiz.title')} />}
        onBack={() => setStep('words')}
        onPassed={() => {
          setWords([])
          setStep('done')
        }}
      />
    )

  return (
    <div>
      <StepHeading step={at} title={t('welcome.done.title')} />
      <p className="text-muted">{t('welcome.done.text')}</p>
      <Button variant="primary" size="lg" className="mt-6" onClick={onDone}>
        {t('welcome.done.open')}
      </Button>
    </div>
  )
}

function Quiz({
  words,
  heading,
  onBack,
  onPassed,
}: {
  words: readonly string[]
  heading: React.ReactNode
  onBack: () => void
  onPassed: () => void
}) {
  const t = useT()
  const [questions] = useState(() => pickQuestions(words.length))
  const [answers, setAnswers] = useState<Record<number, string>>({})
  const [checked, setChecked] = useState(false)
  const right = (index: number) => matchesWord(answers[index] ?? '', words[index]!)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (questions.every(right)) onPassed()
    else setChecked(true)
  }
  return (
    <form onSubmit={submit}>
      {heading}
      <p className="mb-4 text-muted">{t('welcome.quiz.text')}</p>
      <div className={cn('grid grid-cols-3 gap-4 max-sm:grid-cols-1')}>
        {questions.map((index) => (
          <Field
            key={index}
            label={t('welcome.quiz.word', { number: index + 1 })}
            error={checked && !right(index) ? t('welcome.quiz.wrong') : undefined}
          >
            <Input
              autoComplete="off"
              autoCapitalize="off"
              autoCorrect="off"
              spellCheck={false}
              value={answers[index] ?? ''}
              onChange={(event) => setAnswers({ ...answers, [index]: event.target.value })}
            />
          </Field>
        ))}
      </div>
      <div className="mt-6 flex gap-2">
        <Button onClick={onBack}>{t('welcome.quiz.again')}</Button>
        <Button type="submit" variant="primary">
          {t('welcome.quiz.check')}
        </Button>
      </div>
    </form>
  )
}
