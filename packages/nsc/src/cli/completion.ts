import type { Shell } from '../completion/scripts.ts'
import type { CommandSpec, GroupSpec } from './spec.ts'

function script(shell: Shell, install: readonly string[]): CommandSpec {
  return {
    name: shell,
    summary: `Print the completion script for ${shell}`,
    args: { usage: '', max: 0 },
    flags: [{ name: 'no-descriptions', type: 'switch', text: 'without saying what each candidate is for' }],
    examples: install,
    storeless: true,
    worksOnOldStore: true,
    load: async () => ({ run: (await import('../commands/completion.ts')).printScript(shell) }),
  }
}

export const COMPLETION: GroupSpec = {
  name: 'completion',
  summary: 'Print completion scripts for shells: commands, flags, and names from the store',
  commands: [
    script('bash', ['nsc completion bash   # for this shell: source <(nsc completion bash)']),
    script('zsh', [
      'nsc completion zsh    # to keep: nsc completion zsh > ~/.zfunc/_nsc, with that folder in fpath',
    ]),
    script('fish', [
      'nsc completion fish   # to keep: nsc completion fish > ~/.config/fish/completions/nsc.fish',
    ]),
  ],
}
