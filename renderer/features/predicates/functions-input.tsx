import { Checkbox } from '../../app/ui/checkbox.tsx'
import type { Names } from '../identities/names.ts'

/** Which functions' code may run, as check boxes; code that is not built in stays listed by its hash. */
export function FunctionsInput({
  functions,
  onChange,
  names,
}: {
  functions: readonly string[]
  onChange: (functions: string[]) => void
  names: Names
}) {
  const offered = [...names.codeHashes.values()]
  const all = [...offered, ...functions.filter((f) => !offered.includes(f))]
  return (
    <div className="grid min-w-0 flex-1 grid-cols-[repeat(auto-fill,minmax(8.5rem,1fr))] gap-x-4 gap-y-1.5">
      {all.map((hash) => (
        <Checkbox
          key={hash}
          label={names.functionName(hash)}
          checked={functions.includes(hash)}
          onCheckedChange={(checked) =>
            onChange(checked ? [...functions, hash] : functions.filter((f) => f !== hash))
          }
        />
      ))}
    </div>
  )
}
