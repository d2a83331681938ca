// What tests and benchmarks share.
export { Authority, type CertificateFiles, type CertificateRequest, needsOpenssl } from './certificates.ts'
export type { Cleanup } from './cleanup.ts'
export { Engine, type EngineOptions, type EngineUnderTest, enginesUnderTest, ngsServer } from './engine.ts'
export { needsPeer, peer } from './peers.ts'
export { freePort, type Outcome, run } from './process.ts'
export { type Info, type Message, RawClient, type RawOptions } from './raw-client.ts'
export { tempDir, tempFolder } from './temp.ts'
export { waitFor } from './wait.ts'
