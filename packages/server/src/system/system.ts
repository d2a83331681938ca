import type { Account } from '../account/account.ts'
import type { Server } from '../server.ts'
export function startSystem(_server: Server, _system: Account): void {}
