import type { Register } from './register.ts'
export const registerStatus: Register = () => {}
