import type { Register } from './register.ts'
export const registerUsage: Register = () => {}
