import type { Register } from './register.ts'
export const registerOperator: Register = () => {}
