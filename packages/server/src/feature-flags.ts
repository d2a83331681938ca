// Flags of the official server that tools expect among what a server tells of itself. All of them are about JetStream.
import type { Options } from './options.ts'

export const FEATURE_FLAGS: Readonly<Record<string, boolean>> = {
  js_ack_fc_v2: false,
  js_api_reply_v2: false,
  js_raft_delete_range: true,
  js_snapshot_sources: false,
}

/** With what the configuration says of them; flags that nobody knows are not told. */
export const featureFlags = ({ featureFlags: own }: Options): Record<string, boolean> =>
  Object.fromEntries(
    Object.entries(FEATURE_FLAGS).map(([name, on]) => [name, Object.hasOwn(own, name) ? own[name]! : on]),
  )
