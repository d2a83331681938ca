import { ACCOUNT_FLAG, TLS_FLAGS } from './common-flags.ts'
import { type CommandSpec, type FlagSpec, type GroupSpec, isGroup } from './spec.ts'

const USER: FlagSpec = {
  name: 'user',
  short: 'u',
  type: 'text',
  text: 'user whose creds are used (the only one unless given)',
}
const QUEUE: FlagSpec = { name: 'queue', short: 'q', type: 'text', text: 'queue group' }
const MAX: FlagSpec = {
  name: 'max-messages',
  type: 'integer',
  text: 'stop after so many messages',
  fallback: -1,
}
const ENCRYPT: FlagSpec = {
  name: 'encrypt',
  short: 'E',
  type: 'switch',
  text: 'no longer supported',
  hidden: true,
}

const CONNECTION_FLAGS: readonly FlagSpec[] = [
  { name: 'nats', type: 'text', text: 'server URL (the service URLs of the operator unless given)' },
  ...TLS_FLAGS,
]

const SUBJECT_AND_TEXT = { usage: '<subject> [text]', min: 1 } as const

export const TOOL: GroupSpec = {
  name: 'tool',
  summary: 'Publish, subscribe, request, reply and measure with a stored user',
  flags: CONNECTION_FLAGS,
  commands: [
    {
      name: 'pub',
      summary: 'Publish a message',
      args: SUBJECT_AND_TEXT,
      flags: [ACCOUNT_FLAG, USER],
      examples: ['nsc tool pub news "hello"', 'nsc tool pub --user bob orders.new \'{"id": 1}\''],
      load: () => import('../commands/tool-pub.ts'),
    },
    {
      name: 'reply',
      aliases: ['rep'],
      summary: 'Answer requests with a text, or with what they contain',
      args: SUBJECT_AND_TEXT,
      flags: [QUEUE, MAX, ACCOUNT_FLAG, USER],
      examples: ['nsc tool reply help "on my way"', 'nsc tool reply echo --queue workers'],
      load: () => import('../commands/tool-reply.ts'),
    },
    {
      name: 'req',
      summary: 'Send a request and wait for its reply',
      args: SUBJECT_AND_TEXT,
      flags: [ACCOUNT_FLAG, USER, ENCRYPT],
      examples: ['nsc tool req ngs.echo "hello"'],
      load: () => import('../commands/tool-req.ts'),
    },
    {
      name: 'rtt',
      summary: 'Measure the round trip to the server',
      args: { usage: '', min: 0 },
      flags: [ACCOUNT_FLAG, USER],
      examples: ['nsc tool rtt'],
      load: () => import('../commands/tool-rtt.ts'),
    },
    {
      name: 'sub',
      summary: 'Show messages as they arrive',
      args: { usage: '<subject>', min: 1 },
      flags: [QUEUE, { ...MAX, hidden: true }, ENCRYPT, ACCOUNT_FLAG, USER],
      examples: ['nsc tool sub "news.>"', 'nsc tool sub jobs --queue workers'],
      load: () => import('../commands/tool-sub.ts'),
    },
  ],
}

/** `nsc pub` and so on: the same as `nsc tool pub`. */
export function rootTool(name: string): CommandSpec {
  const command = TOOL.commands.find((tool) => tool.name === name)
  if (!command || isGroup(command)) throw new Error(`there is no nsc tool ${name}`)
  return { ...command, aliases: [], flags: [...(command.flags ?? []), ...CONNECTION_FLAGS] }
}
