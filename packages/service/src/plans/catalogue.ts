// The plans an operator offers: one JSON file, the built-in one unless the operator names another.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { reasonOf, ServiceError } from '../errors.ts'

const Limit = (description: string) =>
  Type.Integer({ minimum: -1, maximum: Number.MAX_SAFE_INTEGER, description })

/** What a plan grants: schema of the catalogue, and its type. */
export const PlanLimits = Type.Object(
  {
    payload: Limit('Bytes of the largest message, headers included'),
    connections: Limit('Simultaneous connections'),
    data: Limit('Bytes per calendar month, in and out'),
    imports: Limit('Imports besides the demonstration ones'),
    leaf_nodes: Limit('Simultaneous leaf node connections'),
  },
  { additionalProperties: false, description: '-1 means unlimited' },
)
export type PlanLimits = Static<typeof PlanLimits>

/** One plan: schema of the catalogue, and its type. */
export const Plan = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,31}$', description: 'Stable name for machines' }),
    name: Type.String({ minLength: 1, maxLength: 64, description: 'Name for people' }),
    price: Type.Number({
      minimum: 0,
      multipleOf: 0.01,
      description: 'Per month, in the currency of the catalogue',
    }),
    card: Type.Boolean({ description: 'Whether the plan needs a payment card' }),
    limits: PlanLimits,
  },
  { additionalProperties: false },
)
export type Plan = Static<typeof Plan>

/** A whole catalogue: schema of the file, and its type. */
export const PlanFile = Type.Object(
  {
    currency: Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' }),
    default: Type.String({ description: 'The plan that new accounts get' }),
    plans: Type.Array(Plan, { minItems: 1 }),
  },
  { additionalProperties: false },
)
export type PlanFile = Static<typeof PlanFile>

const builtIn = join(import.meta.dirname, 'default-plans.json')

/** A catalogue that has been checked. */
export class Catalogue {
  readonly file: PlanFile
  readonly defaultPlan: Plan
  readonly #byId: ReadonlyMap<string, Plan>

  private constructor(file: PlanFile, defaultPlan: Plan) {
    this.file = file
    this.defaultPlan = defaultPlan
    this.#byId = new Map(file.plans.map((plan) => [plan.id, plan]))
  }

  /**
   * Reads a catalogue; without a path the built-in one.
   * @throws ServiceError bad-plans-file that names the file, the place in it and what is wanted there
   */
  static load(path = builtIn): Catalogue {
    let text: string
    try {
      text = readFileSync(path, 'utf8')
    } catch (error) {
      throw new ServiceError('bad-plans-file', `cannot read the plan catalogue ${path}: ${reasonOf(error)}`)
    }
    return Catalogue.parse(text, path)
  }

  static parse(text: string, origin: string): Catalogue {
    const refuse = (what: string) => new ServiceError('bad-plans-file', `plan catalogue ${origin}: ${what}`)
    let file: unknown
    try {
      file = JSON.parse(text)
    } catch (error) {
      throw refuse(`is not JSON: ${reasonOf(error)}`)
    }
    if (!Value.Check(PlanFile, file)) {
      // The checker reports an unknown key twice, once as the literal schema `false`.
      const errors = Value.Errors(PlanFile, file).filter((problem) => problem.keyword !== 'boolean')
      const problems = errors.map((problem) => {
        const place = problem.instancePath
          .replace(/\/(\d+)/g, '[$1]')
          .replaceAll('/', '.')
          .replace(/^\./, '')
        const extra =
          problem.keyword === 'additionalProperties'
            ? `: ${problem.params.additionalProperties.join(', ')}`
            : ''
        return `${place === '' ? 'the file' : place} ${problem.message}${extra}`
      })
      throw refuse([...new Set(problems)].slice(0, 10).join('; '))
    }
    for (const key of ['id', 'name'] as const) {
      const seen = new Set<string>()
      for (const plan of file.plans) {
        const value = plan[key].toLowerCase()
        if (seen.has(value)) throw refuse(`two plans have the ${key} "${plan[key]}"`)
        seen.add(value)
      }
    }
    const defaultPlan = file.plans.find((plan) => plan.id === file.default)
    if (defaultPlan === undefined) {
      throw refuse(
        `default names the plan "${file.default}", which is not one of ${file.plans.map((plan) => plan.id).join(', ')}`,
      )
    }
    return new Catalogue(file, defaultPlan)
  }

  get plans(): readonly Plan[] {
    return this.file.plans
  }

  has(id: string): boolean {
    return this.#byId.has(id)
  }

  /** The plan an account is on; start-up has made sure that each account's plan exists. */
  get(id: string): Plan {
    const plan = this.#byId.get(id)
    if (plan === undefined) throw new ServiceError('unknown-plan', this.#unknown(id))
    return plan
  }

  /** The plan a person means: its id or name, in any case. */
  find(text: string): Plan {
    const wanted = text.trim().toLowerCase()
    const plan = this.file.plans.find((one) => one.id === wanted || one.name.toLowerCase() === wanted)
    if (plan === undefined) throw new ServiceError('unknown-plan', this.#unknown(text))
    return plan
  }

  #unknown(text: string): string {
    return `there is no plan "${text}"; choose one of ${this.file.plans.map((plan) => plan.id).join(', ')}`
  }
}
