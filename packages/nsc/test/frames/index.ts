import { EDITING } from './editing.ts'
import type { Frame } from './frame.ts'
import { LOOKING } from './looking.ts'
import { MAKING } from './making.ts'
import { MOVING } from './moving.ts'

export { type Frame, samplesOf, toArgs } from './frame.ts'

export const FRAMES: Record<string, Frame> = { ...MAKING, ...EDITING, ...LOOKING, ...MOVING }

/** Commands that speak to servers, or print what is ours; their own tests compare them. */
export const ELSEWHERE = [
  'generate diagnostics',
  ...[
    'push',
    'pull',
    'load',
    'update',
    'completion bash',
    'completion zsh',
    'completion fish',
    'completion powershell',
    'tool pub',
    'tool reply',
    'tool req',
    'tool rtt',
    'tool sub',
  ],
  ...['pub', 'reply', 'req', 'rtt', 'sub', 'test doc', 'test flags'],
]

/** Flags that only this program has. */
export const OWN_FLAGS = ['validate json']
