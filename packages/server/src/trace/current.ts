// The trace of the message that is being delivered. One at a time: delivery is synchronous, and all that a message sets off inside the
// server happens during it. Null for all messages but the traced ones, so that the others pay one comparison.
import type { MessageTrace } from './trace.ts'

export const tracing: { current: MessageTrace | null } = { current: null }
