// Prepares the data directory named on the command line; a test kills it meanwhile.
import { prepareDataDir } from '../src/index.ts'

process.stdout.write('begin\n')
for (;;)
  prepareDataDir({
    dataDir: process.argv[2]!,
    publicUrl: `http://localhost:${1 + Math.floor(Math.random() * 60000)}`,
  })
