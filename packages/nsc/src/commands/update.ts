import type { Call } from '../cli/spec.ts'
import { COMPATIBLE_VERSION, VERSION } from '../version.ts'

export function run({ session }: Call): undefined {
  session.print(`This is nsc of NGS ${VERSION}, with the commands of nsc ${COMPATIBLE_VERSION}.

It does not replace itself: it is a part of the NGS it was installed with, and changes with it. In the folder of NGS:

  git pull     # the new version; for a certain one: git fetch && git checkout <version>
  npm start    # installs what the new version needs, and runs it

Stores and keys stay as they are.`)
}
