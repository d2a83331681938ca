import type { Permissions } from '@ngs/identity/node'
import type { FlagValues } from '../cli/flags.ts'
import type { FlagSpec } from '../cli/spec.ts'
import { failure } from '../errors.ts'
import type { Report } from '../report.ts'
import { compareBytes, quote } from '../text.ts'
import { addAll, formatDuration, parseDuration, removeAll, setList } from '../values.ts'

/** Flags that set permissions; `what` is "permissions" of a user or "default permissions" of an account. */
export function permissionFlags(what: string): FlagSpec[] {
  const list = (name: string, verb: string): FlagSpec => ({
    name,
    type: 'list',
    text: `${verb} ${what}: subjects, comma-separated or repeated`,
  })
  return [
    list('allow-pub', 'add publish'),
    list('allow-sub', 'add subscribe'),
    list('allow-pubsub', 'add publish and subscribe'),
    list('deny-pub', 'add deny publish'),
    list('deny-sub', 'add deny subscribe'),
    list('deny-pubsub', 'add deny publish and subscribe'),
    {
      name: 'allow-pub-response',
      type: 'count',
      text: `${what} to publish to reply subjects, n times per request (1 unless given)`,
    },
    {
      name: 'response-ttl',
      type: 'text',
      text: 'how long a reply may be published after its request, such as 500ms, 5s, 2m (no limit unless given)',
    },
    {
      name: 'max-responses',
      type: 'integer',
      text: '',
      hidden: true,
      deprecated: 'use --allow-pub-response or --allow-pub-response=n',
    },
  ]
}

/** Flags that take permissions away. */
export function permissionRemovalFlags(what: string): FlagSpec[] {
  return [
    { name: 'rm', type: 'list', text: `remove subjects from all ${what}, allowed and denied` },
    { name: 'rm-response-perms', type: 'switch', text: `remove response settings from ${what}` },
  ]
}

/** Names of all permission flags, for those who ask whether there is anything to do. */
export const PERMISSION_FLAG_NAMES = permissionFlags('').map((flag) => flag.name)
export const PERMISSION_REMOVAL_FLAG_NAMES = permissionRemovalFlags('').map((flag) => flag.name)

/** Checks the permission flags before anything is changed. */
export function checkPermissionFlags(flags: FlagValues): void {
  const ttl = flags.text('response-ttl')
  if (ttl !== '') parseDuration(ttl)
  for (const flag of ['allow-pub', 'allow-pubsub', 'deny-pub', 'deny-pubsub'])
    for (const subject of flags.list(flag))
      if (subject.includes(' '))
        throw failure(`publish permission subject ${quote(subject)} contains illegal space`)
  for (const flag of ['allow-sub', 'deny-sub'])
    for (const subject of flags.list(flag))
      if (subject.split(' ').length > 2)
        throw failure(`subscribe permission subject ${quote(subject)} can at most contain one space`)
}

/** Applies the permission flags to a user, a scope template or an account's defaults, and reports each change. */
export function applyPermissions(
  permissions: Permissions,
  flags: FlagValues,
  report: Report,
  options: { removal: boolean },
): void {
  if (options.removal && flags.switch('rm-response-perms')) {
    delete permissions.resp
    report.ok('removed response permissions')
  }
  applyResponses(permissions, flags, report)
  const removed = options.removal ? flags.list('rm') : []
  const pubsub = flags.list('allow-pubsub')
  const denied = flags.list('deny-pubsub')
  const pub = permissions.pub
  const sub = permissions.sub
  applyList(pub, 'allow', [...flags.list('allow-pub'), ...pubsub], removed, 'pub', 'pub', report)
  applyList(pub, 'deny', [...flags.list('deny-pub'), ...denied], removed, 'deny pub', 'deny pub', report)
  applyList(sub, 'allow', [...flags.list('allow-sub'), ...pubsub], removed, 'sub', 'sub', report)
  // Removal from the deny list is reported like that from the allow list, as the official program does.
  applyList(sub, 'deny', [...flags.list('deny-sub'), ...denied], removed, 'deny sub', 'sub', report)
}

function applyResponses(permissions: Permissions, flags: FlagValues, report: Report): void {
  const flag = flags.has('max-responses') ? 'max-responses' : 'allow-pub-response'
  if (flags.has('max-responses') || (flags.has(flag) && Number(flags.integer(flag)) !== 0)) {
    const max = Number(flags.integer(flag))
    permissions.resp = { max, ttl: permissions.resp?.ttl ?? 0 }
    report.ok(`set max responses to ${max}`)
  }
  const ttl = flags.text('response-ttl')
  if (ttl !== '') {
    const nanoseconds = parseDuration(ttl)
    permissions.resp = { max: permissions.resp?.max ?? 0, ttl: nanoseconds }
    report.ok(`set response ttl to ${formatDuration(nanoseconds)}`)
  }
}

function applyList(
  target: { allow?: string[]; deny?: string[] },
  key: 'allow' | 'deny',
  added: string[],
  removed: string[],
  addedLabel: string,
  removedLabel: string,
  report: Report,
): void {
  const list = removeAll(addAll(target[key], added), removed).sort(compareBytes)
  setList(target, key, list)
  for (const subject of added) report.ok(`added ${addedLabel} ${quote(subject)}`)
  for (const subject of removed) report.ok(`removed ${removedLabel} ${quote(subject)}`)
}
