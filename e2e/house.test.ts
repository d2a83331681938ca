// The rules of docs/architecture.md that a machine can hold: who may import whom, no cycles, a pure identity package,
// and a repository that speaks of the product alone.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { describe, it } from 'node:test'

const root = join(import.meta.dirname, '..')

/** What each package may import of ours; `testkit` is for tests only and therefore in no list. */
const mayImport: Record<string, readonly string[]> = {
  identity: [],
  server: ['identity'],
  nsc: ['identity'],
  service: ['identity'],
  cli: ['identity', 'nsc', 'service'],
}

const sources = globSync('packages/*/src/**/*.ts', { cwd: root })

function importsOf(file: string, { types }: { types: boolean }): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const found: string[] = []
  const statement = /^\s*(?:import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm
  for (const match of text.matchAll(statement)) if (types || match[1] === undefined) found.push(match[2]!)
  for (const match of text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)) found.push(match[1]!)
  return found
}

describe('the house', () => {
  it('has sources in every package', () => {
    for (const name of Object.keys(mayImport)) {
      assert.ok(
        sources.some((file) => file.startsWith(join('packages', name))),
        `packages/${name} is empty`,
      )
    }
  })

  it('keeps to the directions of dependence', () => {
    const wrong: string[] = []
    for (const file of sources) {
      const owner = file.split(/[\\/]/)[1]!
      for (const target of importsOf(file, { types: true })) {
        const ours = /^@ngs\/([a-z]+)/.exec(target)?.[1]
        if (ours !== undefined && ours !== owner && !mayImport[owner]!.includes(ours)) {
          wrong.push(`${file} imports ${target}`)
        }
        if (target.startsWith('.')) {
          const path = relative(root, resolve(root, dirname(file), target))
          if (!path.startsWith(join('packages', owner, 'src'))) wrong.push(`${file} reaches into ${path}`)
        }
      }
    }
    assert.deepEqual(wrong, [])
  })

  it('has no import cycles at run time', () => {
    const graph = new Map<string, string[]>()
    for (const file of sources) {
      const targets = importsOf(file, { types: false }).filter((target) => target.startsWith('.'))
      graph.set(
        file,
        targets.map((target) => relative(root, resolve(root, dirname(file), target))),
      )
    }
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (file: string, path: string[]): void => {
      const at = path.indexOf(file)
      if (at >= 0) {
        cycles.push([...path.slice(at), file].join(' -> '))
        return
      }
      if (done.has(file)) return
      for (const next of graph.get(file) ?? []) visit(next, [...path, file])
      done.add(file)
    }
    for (const file of graph.keys()) visit(file, [])
    assert.deepEqual(cycles, [])
  })

  it('keeps identity free of Node outside its node entry', () => {
    const reach = new Set<string>()
    const walk = (file: string): void => {
      if (reach.has(file)) return
      reach.add(file)
      for (const target of importsOf(file, { types: true })) {
        assert.ok(!target.startsWith('node:'), `${file} imports ${target}`)
        if (target.startsWith('.')) walk(relative(root, resolve(root, dirname(file), target)))
      }
    }
    walk(join('packages', 'identity', 'src', 'index.ts'))
    assert.ok(reach.size > 5, 'the walk found the package')
  })

  it('is described with every room and every library in docs/architecture.md', () => {
    const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8')
    const rooms = globSync('packages/{identity,server,nsc,service}/src/*/', { cwd: root }).map((path) =>
      basename(path),
    )
    const libraries = globSync(['package.json', '{packages/*,testkit}/package.json'], { cwd: root }).flatMap(
      (file) => {
        const { dependencies = {}, devDependencies = {} } = JSON.parse(
          readFileSync(join(root, file), 'utf8'),
        ) as Record<string, Record<string, string> | undefined>
        return Object.keys({ ...dependencies, ...devDependencies })
      },
    )
    assert.ok(rooms.length > 20 && libraries.length > 20, 'rooms and libraries are found')
    assert.deepEqual(
      rooms.filter((room) => !text.includes(`${room}/`)),
      [],
    )
    // Types come with what they describe.
    assert.deepEqual(
      libraries.filter(
        (name) =>
          !name.startsWith('@types/') &&
          !text.toLowerCase().includes(name.replace(/^@noble\//, '').replace(/^@biomejs\//, '')),
      ),
      [],
    )
  })

  it('has one version', () => {
    const versions = globSync(['package.json', '{packages/*,testkit}/package.json'], { cwd: root }).map(
      (file) => (JSON.parse(readFileSync(join(root, file), 'utf8')) as { version: string }).version,
    )
    for (const [file, pattern] of [
      ['packages/cli/src/program.ts', /^const VERSION = '(.*)'$/m],
      ['packages/nsc/src/version.ts', /^export const VERSION = '(.*)'$/m],
      ['CHANGELOG.md', /^## (\S+)/m],
    ] as const)
      versions.push(pattern.exec(readFileSync(join(root, file), 'utf8'))?.[1] ?? `none in ${file}`)
    assert.ok(versions.length > 8, 'the packages were found')
    assert.deepEqual([...new Set(versions)], [versions[0]])
  })

  it('documents what its packages export', () => {
    const undocumented: string[] = []
    let seen = 0
    for (const entry of globSync('packages/*/src/{index,node,core}.ts', { cwd: root })) {
      const text = readFileSync(join(root, entry), 'utf8')
      for (const [, names, from] of text.matchAll(/^export (?:type )?(\{[^}]*\}|\*) from '(\.[^']+)'/gm)) {
        const file = relative(root, resolve(root, dirname(entry), from!))
        const source = readFileSync(join(root, file), 'utf8')
        const declared = source.matchAll(
          /(\*\/\n)?^export (?:async )?(?:function|class|interface|type|const) (\w+)/gm,
        )
        const documented = new Map<string, boolean>()
        // A schema and its type bear one name and one text.
        for (const [, doc, name] of declared)
          documented.set(name!, documented.get(name!) === true || doc !== undefined)
        for (const [name, isDocumented] of documented) {
          if (names !== '*' && !new RegExp(`\\b${name}\\b`).test(names!)) continue
          seen++
          if (!isDocumented) undocumented.push(`${name} in ${file}`)
        }
      }
    }
    assert.ok(seen > 100, 'the exports were found')
    assert.deepEqual(undocumented, [])
  })

  it('names in its documents only commands of npm that there are', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    const named = globSync(['*.md', 'docs/**/*.md', 'packages/*/*.md'], { cwd: root }).flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(/\bnpm run ([a-z:]+)/g)].map((match) => match[1]!),
    )
    assert.ok(named.length > 10, 'the documents were read')
    assert.deepEqual(
      named.filter((name) => !Object.hasOwn(scripts, name)),
      [],
    )
  })

  it('names no machine, no registry host and no issue in its text', () => {
    const files = globSync(
      [
        '*.{md,json,mjs,ts}',
        '.ci/*',
        '.npmrc',
        '{packages,testkit,bench,fuzz,e2e,docs,scripts}/**/*.{ts,mjs,md,json,mod}',
      ],
      { cwd: root, exclude: ['**/node_modules/**'] },
    )
    const self = relative(root, import.meta.filename)
    const forbidden = [
      /registry\.npmjs/,
      /proxy\.golang\.org/,
      /\/work\/(main|shared)\b/,
      /\bissue #?\d+\b/i,
      /\bTODO\b/,
    ]
    const hits: string[] = []
    for (const file of files) {
      if (file === self) continue
      const text = readFileSync(join(root, file), 'utf8')
      for (const pattern of forbidden) if (pattern.test(text)) hits.push(`${file}: ${pattern}`)
    }
    assert.deepEqual(hits, [])
  })
})
