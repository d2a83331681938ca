import type { Target } from '../target.ts'
import { callout } from './callout.ts'
import { claims } from './claims.ts'
import { config } from './config.ts'
import { connect } from './connect.ts'
import { http } from './http.ts'
import { parser } from './parser.ts'
import { websocket } from './websocket.ts'

export const targets: readonly Target[] = [parser, config, claims, connect, callout, websocket, http]
