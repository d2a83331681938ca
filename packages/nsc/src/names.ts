import { randomInt } from 'node:crypto'
import { failure, usageError } from './errors.ts'
import { quote } from './text.ts'

/** Names become file names: separators are refused, whatever the platform, and names that mean a folder. */
export function checkName(name: string): void {
  if (/[/\\]/.test(name)) throw usageError("name cannot contain '/' or '\\'")
  if (isFolderReference(name)) throw usageError(`name cannot be ${quote(name)}`)
}

/** The same for names inside tokens of others: a server must not be able to choose where its answer is written. */
export function checkTokenName(name: string): void {
  if (/[/\\]/.test(name) || isFolderReference(name))
    throw failure(`the name ${quote(name)} in the jwt cannot be used as a file name`)
}

function isFolderReference(name: string): boolean {
  return name.trim() === '.' || name.trim() === '..' || name.includes('\0')
}

const ADJECTIVES =
  'able agile amber bold brave bright brisk calm candid clever cosmic curious daring deft eager early fair fearless ' +
  'fleet frank fresh gentle glad golden happy hardy honest humble jolly keen kind lively lucid lucky merry mild nimble ' +
  'noble patient placid polite proud quick quiet ready serene sharp silent sincere smart steady sturdy sunny swift ' +
  'tidy vivid warm wise witty zealous'

const SURNAMES =
  'ada archimedes babbage backus banach bell boole cantor cerf codd copernicus curie darwin descartes dijkstra einstein ' +
  'elion engelbart euclid euler faraday fermat fermi feynman franklin galileo galois gauss germain goldberg hamilton ' +
  'hawking heisenberg hertz hoare hodgkin hopper hypatia johnson joule kepler knuth kovalevskaya lamport lamarr leibniz ' +
  'liskov lovelace maxwell mayer meitner mendel mirzakhani montalcini neumann newton nobel noether pascal pasteur perlman ' +
  'planck ramanujan ritchie shannon sinoussi snyder tesla thompson turing volta wing wozniak yonath'

/** A made-up name such as `calm_noether`, for those who name nothing themselves (`*`). */
export function randomName(): string {
  const pick = (words: string) => {
    const list = words.split(' ')
    return list[randomInt(list.length)]
  }
  return `${pick(ADJECTIVES)}_${pick(SURNAMES)}`
}
