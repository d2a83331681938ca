// The operator's control plane, as a library: prepare a data directory, start a message server on it, start the service.

export { noncePrefix } from './accounts/ownership.ts'
export type { AccountStatus, UsageReport } from './accounts/status.ts'
export {
  defaultNatsUrl,
  defaultPublicUrl,
  defaultStrangerLimits,
  type PrepareOptions,
  type ServerSettings,
  type ServiceOptions,
  type StrangerLimits,
} from './config.ts'
export type { ActiveMessage } from './demo/services.ts'
export { type ErrorCode, errorCodes, ServiceError } from './errors.ts'
export type { ErrorBody } from './http/errors.ts'
export { type PreparedDataDir, prepareDataDir } from './operator/data-dir.ts'
export type { Plan, PlanFile, PlanLimits } from './plans/catalogue.ts'
export { Service } from './service.ts'
