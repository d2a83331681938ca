// The `mappings` block, of an account or at the top of the file for the global account.
import { type MappingDestination, type MappingSpec, mappedTo, refusalOf } from '../account/mappings.ts'
import { quoteText } from '../quote.ts'
import { isValidSubscription, toWire } from '../subject/subject.ts'
import type { ConfigValue } from './language.ts'
import { asMap, asString, fail, isInteger, isString, type Problems, shown } from './values.ts'

/** What is wrong is reported and left out. */
export function readMappings(value: ConfigValue, problems: Problems): MappingSpec[] {
  const specs: MappingSpec[] = []
  for (const [name, item] of asMap(value)) {
    const source = toWire(name)
    if (!isValidSubscription(source)) {
      problems.error(value, `Subject ${quoteText(name)} is not a valid subject`)
      continue
    }
    problems.guardEntry(() => {
      const spec = readMapping(source, item, problems)
      const refusal = refusalOf(spec)
      const to = isString(item) ? ` to ${quoteText(item.value)}` : ''
      if (refusal === null) specs.push(spec)
      else problems.error(item, `Error adding mapping for ${quoteText(name)}${to} : ${refusal}`)
    })
  }
  return specs
}

function readMapping(source: string, value: ConfigValue, problems: Problems): MappingSpec {
  if (isString(value)) return mappedTo(source, toWire(value.value))
  if (!Array.isArray(value.value)) return { source, destinations: [readDestination(value)] }
  const destinations: MappingDestination[] = []
  for (const item of value.value) problems.guardEntry(() => destinations.push(readDestination(item)))
  return { source, destinations }
}

function readDestination(value: ConfigValue): MappingDestination {
  if (!(value.value instanceof Map)) return fail(value, 'Expected an entry for the mapping destination')
  const read = { subject: '', weight: -1, cluster: '' }
  for (const [name, item] of value.value) {
    switch (name.toLowerCase()) {
      case 'dest':
      case 'destination':
        read.subject = toWire(textOf(item, value))
        break
      case 'weight':
        read.weight = readWeight(item)
        break
      case 'cluster':
        read.cluster = textOf(item, value)
        break
      default:
        fail(item, `Unknown field ${quoteText(name)} for mapping destination`)
    }
  }
  if (read.weight < 0) fail(value, `Missing weight for mapping destination ${quoteText(read.subject)}`)
  return read
}

/** Another type is blamed on the destination as a whole. */
const textOf = (item: ConfigValue, destination: ConfigValue): string =>
  asString(isString(item) ? item : { ...item, at: destination.at })

function readWeight(value: ConfigValue): number {
  const number = readPercent(value, (text) =>
    fail(value, `Invalid weight ${quoteText(text)} for mapping destination`),
  )
  if (number === null) return fail(value, `Unknown entry type for weight of ${shown(value)}`)
  if (number < 0 || number > 100)
    fail(value, `Invalid weight ${isInteger(value) ? value.value : number} for mapping destination`)
  return number
}

/** A whole number, or a string of one with or without a percent sign; null for another type. */
export function readPercent(value: ConfigValue, invalid: (text: string) => never): number | null {
  if (isInteger(value)) return Number(value.value)
  if (!isString(value)) return null
  const text = value.value.replace(/%$/, '')
  return /^[-+]?\d+$/.test(text) ? Number(text) : invalid(text)
}
