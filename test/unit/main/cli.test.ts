import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type SocketHost, serveSocket } from '../../../main/host/socket-host.ts'
import { ADDRESS, DoubleService, HASH, testLog } from './double.ts'

const BIN = join(import.meta.dirname, '../../../bin/enigma.js')

let dir: string
let service: DoubleService
let host: SocketHost

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'enigma-cli-'))
  service = new DoubleService()
  host = await serveSocket(dir, service, testLog().log)
})
afterEach(async () => {
  await host.close()
  rmSync(dir, { recursive: true, force: true })
})

interface Ran {
  status: number | null
  stdout: string
  stderr: string
}

function enigma(
  args: string[],
  options: { input?: string; env?: NodeJS.ProcessEnv; node?: string } = {},
): Promise<Ran> {
  const child = spawn(options.node ?? process.execPath, [BIN, ...args, '--data', dir], {
    env: { ...process.env, ENIGMA_PASSWORD: undefined, ...options.env },
  })
  const ran: Ran = { status: null, stdout: '', stderr: '' }
  child.stdout.on('data', (d) => {
    ran.stdout += String(d)
  })
  child.stderr.on('data', (d) => {
    ran.stderr += String(d)
  })
  child.stdin.on('error', () => {})
  child.stdin.end(options.input ?? '')
  return new Promise((resolve) => child.on('close', (status) => resolve({ ...ran, status })))
}

describe('enigma', () => {
  it('prints one JSON document on standard output', async () => {
    const ran = await enigma(['vault', 'status', '--json'])
    expect(ran).toMatchObject({ status: 0, stderr: '' })
    expect(JSON.parse(ran.stdout)).toEqual({ state: 'locked' })
  })

  it('prints the counts of a histogram beside their ranges', async () => {
    service.handlers['compute.result'] = () => ({
      ...{ id: HASH, function: 'histogram', values: ['2', '0', '11'], edges: ['-10.5', '20'] },
      ...{ owners: 3, nodes: 3, resultDigest: HASH },
    })
    const ran = await enigma(['compute', 'result', HASH])
    expect(ran).toMatchObject({ status: 0, stderr: '' })
    expect(ran.stdout.trimEnd().split('\n')).toEqual([
      'range        count',
      'below -10.5  2',
      '-10.5 to 20  0',
      '20 and more  11',
    ])
  })

  it('prints errors of the node as JSON on standard error, and fails', async () => {
    const ran = await enigma(['--json', 'access', 'revoke', 'nonsense'])
    expect(ran).toMatchObject({ status: 1, stdout: '' })
    expect(JSON.parse(ran.stderr).error.code).toBe('REQUEST_INVALID')
  })

  it('says when no node runs, and what to do', async () => {
    await host.close()
    const ran = await enigma(['node', 'status', '--json'])
    expect(ran).toMatchObject({ status: 1, stdout: '' })
    const { error } = JSON.parse(ran.stderr)
    expect(error.code).toBe('NOT_RUNNING')
    expect(error.remedy).toContain('enigma start')
    host = await serveSocket(dir, service, testLog().log)
  })

  it.each([
    [['nonsense']],
    [['vault', 'nonsense']],
    [['data', 'show']],
    [['share', 'r', '--min-cohort', 'many']],
    [['share', 'r', '--expires', 'yesterday']],
    [['compute', 'request']],
    [['vault', 'status', '--surplus']],
  ])('%j is a mistake in the command: status 2, JSON error, no call', async (args) => {
    const ran = await enigma([...args, '--json'])
    expect(ran).toMatchObject({ status: 2, stdout: '' })
    expect(JSON.parse(ran.stderr).error.code).toBe('INVALID_ARGUMENT')
    expect(service.calls).toEqual([])
  })

  it('reads a password from file, standard input or environment; never from an argument', async () => {
    const seen: string[] = []
    service.handlers['vault.unlock'] = ({ password }: { password: string }) => {
      seen.push(password)
      return { account: ADDRESS }
    }
    const file = join(dir, 'password')
    writeFileSync(file, 'from file\nsecond line\n')
    expect((await enigma(['vault', 'unlock', '--password-file', file])).status).toBe(0)
    expect((await enigma(['vault', 'unlock', '--password-stdin'], { input: 'from stdin\n' })).status).toBe(0)
    expect((await enigma(['vault', 'unlock'], { env: { ENIGMA_PASSWORD: 'from env' } })).status).toBe(0)
    expect((await enigma(['vault', 'unlock', '--json'])).status).toBe(1)
    expect((await enigma(['vault', 'unlock', '--password', 'x'])).status).toBe(2)
    expect(seen).toEqual(['from file', 'from stdin', 'from env'])
  })

  it('confirms only with --yes where there is no terminal', async () => {
    const no = await enigma(['access', 'revoke', HASH, '--no-wait', '--json'])
    expect(no.status).toBe(1)
    expect(no.stderr).toContain('NOT_CONFIRMED')
    const yes = await enigma(['access', 'revoke', HASH, '--no-wait', '--json', '--yes'])
    expect(yes).toMatchObject({ status: 0 })
    expect(JSON.parse(yes.stdout)).toEqual({ jobId: 'job-1' })
  })

  it('builds a rule from flags', async () => {
    let given: unknown
    service.handlers['compute.functions'] = () => ({
      functions: [{ id: 'mean', codeHash: HASH, reveals: 'mean', params: [], input: 'any' }],
    })
    service.handlers['share.create'] = (input: unknown) => {
      given = input
      return { jobId: 'j' }
    }
    const flags = ['--min-cohort', '5', '--approval', '--function', 'mean', '--uses', '3', '--allow', ADDRESS]
    expect((await enigma(['share', 'rec', ...flags, '--no-wait', '--json'])).status).toBe(0)
    expect(given).toEqual({
      recordId: 'rec',
      predicate: {
        kind: 'and',
        of: [
          { kind: 'keys', accounts: [ADDRESS] },
          { kind: 'uses', count: 3 },
          { kind: 'functions', functions: [HASH] },
          { kind: 'cohort', minimum: 5 },
          { kind: 'approval' },
        ],
      },
    })
    const bad = await enigma(['share', 'rec', '--predicate', '{"kind":"cohort","minimum":1}', '--json'])
    expect(JSON.parse(bad.stderr).error.code).toBe('PREDICATE_INVALID')
  })

  it('waits for a job and ends with its error', async () => {
    let looks = 0
    service.handlers['jobs.get'] = () => ({
      job: {
        id: 'job-1',
        kind: 'revoke',
        state: ++looks < 3 ? 'running' : 'failed',
        phase: 'ledger',
        progress: 0.5,
        title: 'Revoke',
        startedAt: 0,
        updatedAt: 0,
        ...(looks < 3 ? {} : { error: { code: 'LEDGER_UNREACHABLE', message: 'no endpoint answers' } }),
      },
    })
    const ran = await enigma(['access', 'revoke', HASH, '--yes', '--json'])
    expect(ran).toMatchObject({ status: 1, stdout: '' })
    expect(ran.stderr).toContain('LEDGER_UNREACHABLE')
    expect(looks).toBe(3)
  })

  it('explains itself', async () => {
    const ran = await enigma(['--help'])
    expect(ran.status).toBe(0)
    for (const word of [
      'devnet',
      'start',
      'vault',
      'share',
      'compute',
      'declassify',
      'demo',
      'ENIGMA_PASSWORD',
    ])
      expect(ran.stdout).toContain(word)
  })
})
