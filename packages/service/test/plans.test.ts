import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { tempDir } from '@ngs/testkit'
import { ServiceError } from '../src/index.ts'
import { Catalogue, type PlanFile } from '../src/plans/catalogue.ts'
import { excessOf } from '../src/plans/fit.ts'
import { limitsOf } from '../src/plans/limits.ts'

const text = (edit: (file: PlanFile) => void): string => {
  const file = structuredClone(Catalogue.load().file) as PlanFile
  edit(file)
  return JSON.stringify(file)
}

describe('the plan catalogue', () => {
  it('offers the four plans unless told otherwise', () => {
    const catalogue = Catalogue.load()
    assert.deepEqual(
      catalogue.plans.map((plan) => [plan.name, plan.price, plan.card, ...Object.values(plan.limits)]),
      [
        ['Free', 0, false, 1024, 10, 1e9, 0, 0],
        ['Developer', 0, true, 4096, 50, 5e9, 5, 2],
        ['Project', 19, true, 262144, 100, 25e9, 25, 10],
        ['Business', 99, true, 1048576, 1000, 200e9, 100, 100],
      ],
    )
    assert.equal(catalogue.defaultPlan.id, 'free')
  })

  it('finds a plan by id or name in any case', () => {
    const catalogue = Catalogue.load()
    for (const wanted of ['developer', 'Developer', ' DEVELOPER '])
      assert.equal(catalogue.find(wanted).id, 'developer')
    assert.throws(
      () => catalogue.find('gold'),
      /there is no plan "gold"; choose one of free, developer, project, business/,
    )
  })

  it('reads a file of the operator', (t) => {
    const path = join(tempDir(t), 'plans.json')
    writeFileSync(
      path,
      text((file) => file.plans.splice(1)),
    )
    assert.deepEqual(
      Catalogue.load(path).plans.map((plan) => plan.id),
      ['free'],
    )
  })

  const mistakes: [string, string, RegExp][] = [
    ['no JSON', '{"plans": [}', /is not JSON: Unexpected token/],
    ['another shape', '[]', /the file must be object/],
    [
      'a missing limit',
      text((file) => Reflect.deleteProperty(file.plans[0]!.limits, 'imports')),
      /plans\[0\]\.limits must have required properties imports/,
    ],
    [
      'an unknown word',
      text((file) => Object.assign(file.plans[2]!, { colour: 'red' })),
      /plans\[2\].*additional properties: colour/,
    ],
    [
      'a fraction',
      text((file) => {
        file.plans[1]!.limits.payload = 1.5
      }),
      /plans\[1\]\.limits\.payload must be integer/,
    ],
    [
      'less than unlimited',
      text((file) => {
        file.plans[1]!.limits.data = -2
      }),
      /plans\[1\]\.limits\.data must be >= -1/,
    ],
    [
      'a bad id',
      text((file) => {
        file.plans[0]!.id = 'Free plan'
      }),
      /plans\[0\]\.id must match/,
    ],
    [
      'a price of a tenth of a cent',
      text((file) => {
        file.plans[2]!.price = 19.999
      }),
      /plans\[2\]\.price/,
    ],
    [
      'one id twice',
      text((file) => {
        file.plans[1]!.id = 'free'
      }),
      /two plans have the id "free"/,
    ],
    [
      'one name twice',
      text((file) => {
        file.plans[1]!.name = 'FREE'
      }),
      /two plans have the name "FREE"/,
    ],
    [
      'an unknown default',
      text((file) => {
        file.default = 'gold'
      }),
      /default names the plan "gold", which is not one of free, developer/,
    ],
    [
      'no plans',
      text((file) => {
        file.plans = []
      }),
      /plans must not have fewer than 1/,
    ],
  ]
  for (const [name, content, expected] of mistakes) {
    it(`refuses ${name}, naming the file and the place`, (t) => {
      const path = join(tempDir(t), 'plans.json')
      writeFileSync(path, content)
      assert.throws(
        () => Catalogue.load(path),
        (error) => {
          assert.ok(error instanceof ServiceError)
          assert.equal(error.code, 'bad-plans-file')
          assert.ok(error.message.includes(path))
          assert.match(error.message, expected)
          return true
        },
      )
    })
  }

  it('refuses a file that is not there', () => {
    assert.throws(
      () => Catalogue.load('/nowhere/plans.json'),
      /cannot read the plan catalogue \/nowhere\/plans\.json: no such file or directory$/,
    )
  })
})

describe('the limits of a plan', () => {
  it('go into the token, demonstration imports on top', () => {
    const plan = Catalogue.load().find('developer')
    assert.deepEqual(limitsOf(plan, 3, false), {
      subs: -1,
      data: 5e9,
      payload: 4096,
      imports: 8,
      exports: -1,
      wildcards: true,
      conn: 50,
      leaf: 2,
    })
    assert.equal(limitsOf(plan, 2, true).disallow_bearer, true)
  })

  it('stay unlimited where the plan is', () => {
    const plan = structuredClone(Catalogue.load().find('business'))
    plan.limits = { payload: -1, connections: -1, data: -1, imports: -1, leaf_nodes: -1 }
    const { conn, leaf, payload, data, imports } = limitsOf(plan, 3, false)
    assert.deepEqual(
      { conn, leaf, payload, data, imports },
      { conn: -1, leaf: -1, payload: -1, data: -1, imports: -1 },
    )
    const use = { imports: Array.from({ length: 1000 }, () => null), connections: 1e6, leafNodes: 1e6 }
    assert.deepEqual(excessOf(plan, use), [])
  })

  it('list what has to go', () => {
    const plan = Catalogue.load().find('free')
    const imports = [{ type: 'stream' as const, subject: 'a.b', account: 'AB' }]
    assert.deepEqual(excessOf(plan, { imports, connections: 12, leafNodes: 1 }), [
      'remove this import:',
      '  stream import "a.b" of account AB',
      'close 2 of 12 connections (the plan allows 10)',
      'close 1 of 1 leaf node connections (the plan allows 0)',
    ])
    assert.deepEqual(excessOf(plan, { imports: [], connections: 10, leafNodes: 0 }), [])
  })
})
