import type { ClaimsBase } from '@ngs/identity/node'
import { textOf } from '../errors.ts'
import { goJson } from '../json.ts'
import { bold, Table } from '../table.ts'
import { quote } from '../text.ts'

/** One line of a list: the name on disk, and its claims or why they cannot be read. */
export interface Entry {
  name: string
  claims: ClaimsBase | null
  error: string
}

/** Reads the claims of each name; those that fail are listed with the reason. */
export function readEntries(names: readonly string[], read: (name: string) => ClaimsBase): Entry[] {
  return names.map((name) => {
    try {
      return { name, claims: read(name), error: '' }
    } catch (thrown) {
      return { name, claims: null, error: textOf(thrown) }
    }
  })
}

/** The table of a list, the current entry in bold; or JSON. */
export function renderEntries(
  title: string,
  entries: readonly Entry[],
  current: string,
  asJson: boolean,
): string {
  if (asJson)
    return goJson(
      entries.length === 0
        ? null
        : entries.map(({ name, claims }) => ({ name, public_key: claims?.sub ?? '' })),
      { indent: 1 },
    )
  const table = new Table(title, entries.length > 0 ? ['Name', 'Public Key'] : null)
  if (entries.length === 0) table.row('No entries defined')
  for (const { name, claims, error } of entries) {
    const shown = claims && claims.name !== name ? `${name} (${claims.name ?? ''})` : name
    const key = claims ? claims.sub : `error loading jwt - ${error}`
    if (shown === current) table.row(bold(shown), bold(key))
    else table.row(shown, key)
  }
  return table.render()
}

export function noOperatorsText(root: string): string {
  return (
    `no operators defined in store dir ${quote(root)}\n` +
    'init an environment or change the store root with `env --store <dir>`'
  )
}
