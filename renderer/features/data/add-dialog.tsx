import { useState } from 'react'
import { useT } from '../../app/i18n/index.ts'
import { Dialog } from '../../app/ui/dialog.tsx'
import { Tabs } from '../../app/ui/tabs.tsx'
import { toast } from '../../app/ui/toast.tsx'
import { EnterForm } from './enter-form.tsx'
import { FileForm } from './file-form.tsx'
import { ImportForm } from './import-form.tsx'
import { Samples } from './samples.tsx'

type Way = 'enter' | 'import' | 'file' | 'sample'

/** Four ways into the vault: typed in, from CSV or JSON, a whole file, or a sample to try things with. */
export function AddDialog({
  open,
  onOpenChange,
  onAdded,
}: {
  open: boolean
  onOpenChange: (open: boolean) => void
  onAdded: (id: string) => void
}) {
  const t = useT()
  const [way, setWay] = useState<Way>('enter')
  const added = (id: string) => {
    toast({ title: t('data.added'), tone: 'success' })
    onAdded(id)
  }
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title={t('data.add')}
      description={t('data.add.text')}
      size="lg"
      dismissible={false}
    >
      <Tabs<Way>
        label={t('data.add')}
        value={way}
        onValueChange={setWay}
        tabs={[
          { value: 'enter', label: t('data.add.enter'), content: <EnterForm onAdded={added} /> },
          { value: 'import', label: t('data.add.import'), content: <ImportForm onAdded={added} /> },
          { value: 'file', label: t('data.add.file'), content: <FileForm onAdded={added} /> },
          { value: 'sample', label: t('data.add.sample'), content: <Samples onAdded={added} /> },
        ]}
      />
    </Dialog>
  )
}
