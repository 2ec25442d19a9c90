import { Copy, Database, Plus, Trash2 } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { EnigmaError } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { Badge } from '../../app/ui/badge.tsx'
import { Button, IconButton } from '../../app/ui/button.tsx'
import { Checkbox, RadioGroup, Switch } from '../../app/ui/checkbox.tsx'
import { CopyText, Hash } from '../../app/ui/copy.tsx'
import { Details } from '../../app/ui/details.tsx'
import { AlertDialog, Dialog } from '../../app/ui/dialog.tsx'
import { DropZone } from '../../app/ui/drop-zone.tsx'
import { Field } from '../../app/ui/field.tsx'
import { Input, PasswordInput, SearchInput, Textarea } from '../../app/ui/input.tsx'
import { JobTrack } from '../../app/ui/job-track.tsx'
import { Kbd } from '../../app/ui/kbd.tsx'
import { KeyValue } from '../../app/ui/key-value.tsx'
import { Menu } from '../../app/ui/menu.tsx'
import { Page } from '../../app/ui/page.tsx'
import { Callout, Panel } from '../../app/ui/panel.tsx'
import { Progress } from '../../app/ui/progress.tsx'
import { Select } from '../../app/ui/select.tsx'
import { ShareRing, ShareRingFigure } from '../../app/ui/share-ring.tsx'
import { SkeletonLines } from '../../app/ui/skeleton.tsx'
import { Spinner } from '../../app/ui/spinner.tsx'
import { EmptyState, ErrorState, HostConfirmation } from '../../app/ui/states.tsx'
import { StepList } from '../../app/ui/step-list.tsx'
import { Table, type TableColumn } from '../../app/ui/table.tsx'
import { Tabs } from '../../app/ui/tabs.tsx'
import { Time } from '../../app/ui/time.tsx'
import { toast } from '../../app/ui/toast.tsx'

const DIGEST = `0x${'5f3a90c1'.repeat(8)}`
const ring = (n: number, sick = 0) =>
  Array.from({ length: n }, (_, i) => ({ index: i + 1, healthy: i >= sick }))
const rows = Array.from({ length: 1200 }, (_, i) => ({
  id: i,
  name: `Row ${i + 1}`,
  value: (i * 7919) % 1009,
}))
const columns: readonly TableColumn<(typeof rows)[number]>[] = [
  { id: 'name', header: 'Name', cell: (r) => r.name, sort: (r) => r.name },
  { id: 'value', header: 'Value', cell: (r) => r.value, sort: (r) => r.value, align: 'end' },
]
const rowKey = (row: (typeof rows)[number]) => String(row.id)

/** Every component in its states, for eyes and for tests. Not in the navigation; its own labels are English. */
export default function GalleryPage() {
  const t = useT()
  const [text, setText] = useState('')
  const [choice, setChoice] = useState<'a' | 'b'>('a')
  const [on, setOn] = useState(true)
  const [tab, setTab] = useState<'one' | 'two'>('one')
  const [dialog, setDialog] = useState(false)
  const [alert, setAlert] = useState(false)
  const options = [
    { value: 'a' as const, label: 'First choice', description: 'With a word of explanation' },
    { value: 'b' as const, label: 'Second choice' },
  ]
  return (
    <main className="h-full bg-surface">
      <Page title="Gallery" description="Components and their states">
        <div className="columns-2 gap-5 max-[56.25rem]:columns-1 [&>section]:mb-5 [&>section]:break-inside-avoid">
          <Panel title="Button">
            <Row>
              <Button variant="primary">Primary</Button>
              <Button>Secondary</Button>
              <Button variant="ghost">Ghost</Button>
              <Button variant="danger">Danger</Button>
              <Button variant="danger-quiet">Quiet danger</Button>
              <Button variant="link">Link</Button>
            </Row>
            <Row>
              <Button variant="primary" icon={<Plus aria-hidden />}>
                With icon
              </Button>
              <Button loading>Loading</Button>
              <Button variant="primary" disabled>
                Disabled
              </Button>
              <Button disabled>Disabled</Button>
              <Button size="sm">Small</Button>
              <IconButton label="Copy">
                <Copy aria-hidden />
              </IconButton>
            </Row>
          </Panel>
          <Panel title="Field and inputs">
            <div className="flex flex-col gap-3">
              <Field label="Label" hint="A hint" optionalText={t('ui.optional')}>
                <Input placeholder="Placeholder" />
              </Field>
              <Field label="With an error" error="Write digits, for example -12.50." required>
                <Input defaultValue="12,5k" />
              </Field>
              <Field label="Disabled">
                <Input disabled defaultValue="Not now" />
              </Field>
              <Field label="Read only">
                <Input readOnly defaultValue="Only to look at" />
              </Field>
              <Field label="Password">
                <PasswordInput defaultValue="correct horse" />
              </Field>
              <Field label="Text area">
                <Textarea rows={2} />
              </Field>
              <Field label="Select">
                <Select value={choice} onValueChange={setChoice} options={options} />
              </Field>
              <SearchInput label="Search" value={text} onValueChange={setText} />
            </div>
          </Panel>
          <Panel title="Checkbox, switch, radio">
            <div className="flex flex-col gap-3">
              <Checkbox label="Checkbox" hint="With a hint" checked={on} onCheckedChange={setOn} />
              <Checkbox label="Some of them" indeterminate checked={false} onCheckedChange={setOn} />
              <Checkbox label="Disabled" disabled checked={false} onCheckedChange={setOn} />
              <Switch label="Switch" hint="With a hint" checked={on} onCheckedChange={setOn} />
              <RadioGroup
                cards
                label="Radio"
                value={choice}
                onValueChange={setChoice}
                options={[
                  { value: 'a', label: 'One', hint: 'As a card' },
                  { value: 'b', label: 'Two', hint: 'As a card' },
                ]}
              />
            </div>
          </Panel>
          <Panel title="Share ring">
            <Row>
              <ShareRing holders={ring(3)} threshold={2} />
              <ShareRing holders={ring(7, 2)} threshold={4} />
              <ShareRing holders={ring(5, 3)} threshold={3} />
              <ShareRing holders={ring(5)} threshold={3} revoked />
              <ShareRing holders={ring(32, 3)} threshold={16} />
              <ShareRing holders={ring(5, 1)} threshold={3} size={28} />
            </Row>
            <div className="flex flex-col gap-3">
              <ShareRingFigure title="With spare holders" holders={ring(5)} threshold={3} />
              <ShareRingFigure title="At the threshold" holders={ring(5, 2)} threshold={3} />
              <ShareRingFigure title="Below the threshold" holders={ring(5, 3)} threshold={3} />
            </div>
          </Panel>
          <Panel title="Job track">
            <div className="flex flex-col gap-4">
              <JobTrack state="approvals" progress={0.6} approvals={{ needed: 5, given: 3, declined: 0 }} />
              <JobTrack state="computing" progress={0.5} rounds={{ done: 6, total: 11 }} />
              <JobTrack state="done" progress={1} />
              <JobTrack state="failed" progress={0.4} stoppedAt="inputs" />
              <JobTrack state="cancelled" progress={0} stoppedAt="approvals" compact />
            </div>
          </Panel>
          <Panel title="Badge, time, keys">
            <Row>
              {(['neutral', 'accent', 'success', 'warning', 'danger'] as const).map((tone) => (
                <Badge key={tone} tone={tone}>
                  {tone}
                </Badge>
              ))}
            </Row>
            <Row>
              <Time at={Date.now() - 7_200_000} />
              <Kbd keys={['Mod', 'K']} />
              <Spinner />
            </Row>
          </Panel>
          <Panel title="Callouts">
            <div className="flex flex-col gap-2">
              {(['neutral', 'accent', 'success', 'warning', 'danger'] as const).map((tone) => (
                <Callout key={tone} tone={tone} title={tone}>
                  A sentence or two that must not be missed.
                </Callout>
              ))}
            </div>
          </Panel>
          <Panel title="States">
            <div className="flex flex-col gap-3">
              <EmptyState icon={<Database />} title="Nothing here" actions={<Button>Add</Button>}>
                What this list is for.
              </EmptyState>
              <SkeletonLines />
              <HostConfirmation kind="approve" />
              <ErrorState
                error={new EnigmaError('LEDGER_UNREACHABLE', 'no endpoint answered')}
                onRetry={() => undefined}
              />
            </div>
          </Panel>
          <Panel title="Progress and steps">
            <div className="flex flex-col gap-3">
              <Progress label="Known" value={0.46} />
              <Progress label="Unknown" value={undefined} />
              <StepList
                label="Steps"
                steps={[
                  { label: 'Done', state: 'done' },
                  { label: 'Running', hint: 'With a hint', state: 'running' },
                  { label: 'Failed', state: 'failed' },
                  { label: 'To do', state: 'todo' },
                ]}
              />
            </div>
          </Panel>
          <Panel title="Facts and details">
            <KeyValue
              rows={[
                ['Digest', <Hash key="h" value={DIGEST} />],
                ['Path', <CopyText key="c" text="/home/ada/.enigma" />],
              ]}
            />
            <Details className="mt-2">
              <Hash value={DIGEST} full />
            </Details>
          </Panel>
          <Panel title="Overlays">
            <Row>
              <Button onClick={() => setDialog(true)}>Dialog</Button>
              <Button variant="danger" onClick={() => setAlert(true)}>
                Typed confirmation
              </Button>
              <Menu
                trigger={<Button>Menu</Button>}
                items={[
                  { label: 'Copy', icon: <Copy aria-hidden />, onSelect: () => undefined },
                  {
                    label: 'Remove',
                    icon: <Trash2 aria-hidden />,
                    danger: true,
                    separated: true,
                    onSelect: () => undefined,
                  },
                ]}
              />
              <Button
                onClick={() =>
                  toast({ title: 'Moved to the trash', action: { label: 'Undo', onClick: () => undefined } })
                }
              >
                Toast
              </Button>
            </Row>
          </Panel>
          <Panel title="Tabs, drop zone">
            <Tabs
              label="Tabs"
              value={tab}
              onValueChange={setTab}
              tabs={[
                {
                  value: 'one',
                  label: 'One',
                  count: 3,
                  content: <DropZone label="Drop a file, or" onFile={() => undefined} />,
                },
                { value: 'two', label: 'Two', content: 'Second' },
              ]}
            />
          </Panel>
          <Panel title="Table, 1,200 rows" padded={false}>
            <Table label="Rows" columns={columns} rows={rows} rowKey={rowKey} maxHeight={220} />
          </Panel>
        </div>
        <Dialog
          open={dialog}
          onOpenChange={setDialog}
          title="Dialog"
          description="With a description"
          footer={<Button onClick={() => setDialog(false)}>{t('ui.done')}</Button>}
        >
          <Field label="Label">
            <Input />
          </Field>
        </Dialog>
        <AlertDialog
          open={alert}
          onOpenChange={setAlert}
          title="Really?"
          confirmLabel="Delete"
          typed="delete"
          onConfirm={() => setAlert(false)}
        >
          This cannot be undone.
        </AlertDialog>
      </Page>
    </main>
  )
}

function Row({ children }: { children: ReactNode }) {
  return <div className="mb-3 flex flex-wrap items-center gap-2 last:mb-0">{children}</div>
}
