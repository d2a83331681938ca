// A service in a process of its own, for tests that kill it. Options come as JSON on the command line.
import { Service, type ServiceOptions } from '../src/index.ts'

const service = await Service.start(JSON.parse(process.argv[2]!) as ServiceOptions)
process.stdout.write(`ready ${service.url}\n`)
process.on('SIGTERM', async () => {
  await service.stop()
  process.exit(0)
})
