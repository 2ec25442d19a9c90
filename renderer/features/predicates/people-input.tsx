import { Plus, X } from 'lucide-react'
import { useId, useState } from 'react'
import { useT } from '../../app/i18n/index.ts'
import { Button } from '../../app/ui/button.tsx'
import { Field } from '../../app/ui/field.tsx'
import { Input } from '../../app/ui/input.tsx'
import type { Names } from '../identities/names.ts'

const ACCOUNT = /^0x[0-9a-fA-F]{40}$/

/** Accounts as chips, added from known people or by address. */
export function PeopleInput({
  accounts,
  onChange,
  names,
  label,
}: {
  accounts: readonly string[]
  onChange: (accounts: string[]) => void
  names: Names
  label: string
}) {
  const t = useT()
  const [text, setText] = useState('')
  const [wrong, setWrong] = useState(false)
  const list = useId()
  const add = () => {
    const typed = text.trim()
    const person = names.people.find((p) => p.name === typed)
    const account = person?.account ?? typed.toLowerCase()
    if (!ACCOUNT.test(account)) return setWrong(true)
    if (!accounts.includes(account)) onChange([...accounts, account])
    setText('')
    setWrong(false)
  }
  return (
    <div className="flex min-w-0 flex-1 flex-col gap-2">
      {accounts.length > 0 && (
        <ul className="flex flex-wrap gap-1.5">
          {accounts.map((account) => (
            <li
              key={account}
              className="flex h-7 max-w-full items-center gap-1 rounded-full border border-line bg-sunken ps-2.5 pe-1 text-sm"
            >
              <span className="truncate" title={account}>
                {names.name(account)}
              </span>
              <button
                type="button"
                aria-label={t('predicates.keys.remove', { name: names.name(account) })}
                className="flex size-6 items-center justify-center rounded-full text-muted hover:bg-hover hover:text-text"
                onClick={() => onChange(accounts.filter((a) => a !== account))}
              >
                <X aria-hidden className="size-3.5" />
              </button>
            </li>
          ))}
        </ul>
      )}
      <Field label={label} hideLabel error={wrong ? t('predicates.keys.invalid') : undefined}>
        <div className="flex gap-2">
          <AccountInput
            value={text}
            list={list}
            placeholder={t('predicates.keys.placeholder')}
            onChange={(value) => {
              setText(value)
              setWrong(false)
            }}
            onEnter={add}
          />
          <Button icon={<Plus aria-hidden />} onClick={add} disabled={text.trim() === ''}>
            {t('predicates.keys.add')}
          </Button>
        </div>
      </Field>
      <datalist id={list}>
        {names.people
          .filter((p) => !accounts.includes(p.account))
          .map((p) => (
            <option key={p.account} value={p.account}>
              {p.name}
            </option>
          ))}
      </datalist>
    </div>
  )
}

function AccountInput({
  value,
  onChange,
  onEnter,
  list,
  placeholder,
}: {
  value: string
  onChange: (value: string) => void
  onEnter: () => void
  list: string
  placeholder: string
}) {
  return (
    <Input
      value={value}
      list={list}
      placeholder={placeholder}
      spellCheck={false}
      autoComplete="off"
      onChange={(event) => onChange(event.target.value)}
      onKeyDown={(event) => {
        if (event.key !== 'Enter') return
        event.preventDefault()
        onEnter()
      }}
    />
  )
}
