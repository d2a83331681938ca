import { ownAccountIfAny } from '../api/account.ts'
import { ServiceClient } from '../api/client.ts'
import { type Io, wantsColour } from '../io.ts'
import { columns } from '../output/table.ts'
import { countText, dataText, priceText, sizeText } from '../output/units.ts'
import type { Register } from './register.ts'
import { printJson, type ServiceFlags, serviceFlags, serviceUrl } from './shared.ts'

export const registerPlans: Register = (program, { io }) => {
  serviceFlags(program.command('plans'))
    .helpGroup('Your account:')
    .summary('show the plans there are')
    .description('Shows the plans of the service, their limits and prices.')
    .addHelpText('after', '\nExamples:\n  ngs plans\n  ngs plans --json\n')
    .action((flags: ServiceFlags) => plans(flags, io))
}

async function plans(flags: ServiceFlags, io: Io): Promise<void> {
  const known = (await ownAccountIfAny(io))?.serviceUrl ?? null
  const catalogue = await new ServiceClient(serviceUrl(io, flags.url, known)).plans()
  if (flags.json === true) return printJson(io, catalogue)
  const rows = catalogue.plans.map(({ name, price, card, limits }) => [
    name,
    priceText(price, catalogue.currency),
    sizeText(limits.payload),
    countText(limits.connections),
    dataText(limits.data),
    limits.imports === 0 ? 'demo only' : countText(limits.imports),
    countText(limits.leaf_nodes),
    card ? 'yes' : 'no',
  ])
  const head = [
    'Plan',
    'Per month',
    'Max message',
    'Connections',
    'Data per month',
    'Imports',
    'Leaf nodes',
    'Card',
  ]
  io.stdout.write(`${columns(head, rows, wantsColour(io))}\n`)
}
