// Large payloads are queued by reference instead of being copied. Whoever lends a buffer looks at the counter before and after: when it has
// not moved, nobody keeps a part of the buffer, and it may be used again.

export const kept = { references: 0 }
