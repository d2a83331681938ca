// The pid file and the ports file.

import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { openProblem } from './file-problem.ts'
import type { Server } from './server.ts'

/** Decimal pid, no newline; it stays when the server ends, as the official one's does. @throws Error that says why it could not be written. */
export function writePidFile(path: string): void {
  try {
    writeFileSync(path, `${process.pid}`)
  } catch (error) {
    throw new Error(openProblem(error as NodeJS.ErrnoException, path))
  }
}

const PROGRAM = 'ngs-server'
const portsFile = (dir: string): string => join(dir, `${PROGRAM}_${process.pid}.ports`)

/** `<dir>/<program>_<pid>.ports`: one line of JSON with the URLs in use. */
export function writePortsFile(server: Server): void {
  const path = portsFile(server.options.portsFileDir)
  const { websocket, monitoring } = server.listeners
  const content = {
    nats: everyAddress(server.listenUrl),
    ...(monitoring === null ? {} : { monitoring: everyAddress(monitoring.url) }),
    ...(websocket === null ? {} : { websocket: everyAddress(websocket.url) }),
  }
  try {
    // Readers poll for the name, so the file appears whole.
    writeFileSync(`${path}.tmp`, JSON.stringify(content))
    renameSync(`${path}.tmp`, path)
  } catch (error) {
    server.log.error(
      `Error writing ports file (${path}): ${openProblem(error as NodeJS.ErrnoException, path)}`,
    )
  }
}

export function removePortsFile(dir: string): void {
  rmSync(portsFile(dir), { force: true })
}

/** A wildcard address stands for every address of the machine. */
function everyAddress(url: string): string[] {
  if (!url.includes('//0.0.0.0:') && !url.includes('//[::]:')) return [url]
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return addresses
    .filter((address) => !address.address.startsWith('fe80'))
    .map(({ address }) =>
      url.replace(/\/\/(0\.0\.0\.0|\[::\]):/, `//${address.includes(':') ? `[${address}]` : address}:`),
    )
}
