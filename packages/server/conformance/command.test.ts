// The command line: what is printed, exit codes, flags over the file, --signal, and the files that a server leaves.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import {
  Engine,
  enginesUnderTest,
  freePort,
  type Outcome,
  RawClient,
  run,
  tempDir,
  waitFor,
} from '@ngs/testkit'

for (const { name, path } of enginesUnderTest()) {
  const command = (...args: string[]): Promise<Outcome> => run(path, args)
  const fails = async (args: string[], text: string): Promise<void> => {
    const { code, stdout, stderr } = await command(...args)
    assert.deepEqual([code, stdout, stderr], [1, '', `${name}: ${text}\n`])
  }
  const file = (t: TestContext, text: string): string => {
    const config = join(tempDir(t), 'a.conf')
    writeFileSync(config, text)
    return config
  }

  describe(`what the command prints [${name}]`, () => {
    it('its version', async () => {
      for (const word of ['-v', '--version', 'version', 'VERSION'])
        assert.deepEqual(await command(word), {
          code: 0,
          signal: null,
          stdout: `${name}: v2.15.2\n`,
          stderr: '',
        })
    })

    it('its flags', async () => {
      const outcomes = await Promise.all(['-h', '--help', 'help'].map((word) => command(word)))
      for (const { code, stdout, stderr } of outcomes) {
        assert.deepEqual([code, stderr], [0, ''])
        assert.match(stdout, /^\nUsage: \S+ \[options\]\n\nServer Options:\n/)
        const groups = [...stdout.matchAll(/^(\w+) Options:$/gm)].map((match) => match[1])
        const expected = ['Server', 'Logging', 'Authorization', 'TLS', 'Common']
        assert.deepEqual(
          groups.filter((group) => expected.includes(group!)),
          expected,
        )
      }
      const { code, stdout } = await command('--help_tls')
      assert.equal(code, 0)
      assert.match(stdout, /tls \{/)
    })

    it('a word that it does not know', async () => {
      await fails(['foo'], 'unrecognized command: "foo"')
      await fails(['-D', 'foo', '-V'], 'unrecognized command: "foo"')
      await fails([''], 'unrecognized command: ""')
      await fails(['a\tb'], 'unrecognized command: "a\\tb"')
    })

    it('a flag that is wrong, and all flags, with code 0', async () => {
      const cases: [string[], string][] = [
        [['-bogus'], 'flag provided but not defined: -bogus'],
        [['--bogus=1'], 'flag provided but not defined: -bogus'],
        [['-p'], 'flag needs an argument: -p'],
        [['-p', 'x'], 'invalid value "x" for flag -p: parse error'],
        [
          ['-p', '99999999999999999999'],
          'invalid value "99999999999999999999" for flag -p: value out of range',
        ],
        [['-D=maybe'], 'invalid boolean value "maybe" for -D: parse error'],
        [['---D'], 'bad flag syntax: ---D'],
        [['-=1'], 'bad flag syntax: -=1'],
      ]
      for (const [args, text] of cases) {
        const { code, stdout, stderr } = await command(...args)
        assert.deepEqual([code, stderr], [0, `${text}\n`])
        assert.match(stdout, /^\nUsage: /)
      }
    })
  })

  describe(`checking a file [${name}]`, () => {
    it('says that it is good, with its digest', async (t) => {
      const config = file(t, 'debug: true # comment\n')
      const { code, stdout, stderr } = await command('-t', '-c', config)
      assert.deepEqual([code, stdout], [0, ''])
      assert.match(
        stderr,
        new RegExp(`^${name}: configuration file ${config} is valid \\(sha256:[0-9a-f]{64}\\)\n$`),
      )
    })

    it('says what is wrong and what is doubtful, each on a line', async (t) => {
      const config = file(t, 'bogus: 1\n')
      await fails(['-t', '-c', config], `${config}:1:0: unknown field "bogus"\n`)
      writeFileSync(config, '\nwrite_deadline: 5\n')
      const doubt = 'invalid use of field "write_deadline": write_deadline should be converted to a duration'
      await fails(['-t', '-c', config], `${config}:2:1: ${doubt}\n`)
      writeFileSync(config, 'a = {\n')
      const { code, stderr } = await command('-t', '-c', config)
      assert.equal(code, 1)
      assert.match(stderr, new RegExp(`^${name}: Parse error on line \\d: '.*'\n$`))
    })

    it('needs a file, which has to be there', async () => {
      await fails(['-t'], 'must specify [-c, --config] option to check configuration file syntax')
      const { code, stderr } = await command('-t', '-c', '/nowhere/a.conf')
      assert.equal(code, 1)
      assert.match(stderr, /\/nowhere\/a\.conf: no such file or directory\n$/)
    })

    it('leaves checks of a server that starts to the start', async (t) => {
      const config = file(t, 'max_payload: 2000\nmax_pending: 1000\n')
      assert.equal((await command('-t', '-c', config)).code, 0)
      await fails(['-c', config], 'max_payload (2000) cannot be higher than max_pending (1000)')
    })
  })

  describe(`starting [${name}]`, () => {
    it('flags beat the file, and what is not given does not', async (t) => {
      const config =
        'port: 4999\nhost: "127.0.0.1"\ntrace: true\nserver_name: file\nauthorization { user: u, password: p }\n'
      const args = ['-p', '-1', '-V=false', '--pass', 'flag', '--auth=', '-n=flag']
      const server = await Engine.start(t, { engine: path, config, args })
      assert.notEqual(server.port, 4999)
      const client = await RawClient.connect(t, server.port)
      assert.equal(client.info['server_name'], 'flag')
      client.connect({ verbose: false, user: 'u', pass: 'flag' })
      await client.flush()
      await server.stop()
      assert.doesNotMatch(server.log(), /TRC/)
    })

    it('several flags of the log in one', async (t) => {
      const server = await Engine.start(t, { engine: path, config: 'debug: true', args: ['-DV=false'] })
      const client = await RawClient.connect(t, server.port)
      await client.flush()
      await server.stop()
      assert.doesNotMatch(server.log(), /DBG|TRC/)
      const both = await Engine.start(t, { engine: path, args: ['-DV'] })
      const traced = await RawClient.connect(t, both.port)
      await traced.flush()
      await both.waitForLog(/DBG.*Client connection created(.|\n)*TRC.*PING/)
    })

    it('warnings of the file are shown, and the server starts', async (t) => {
      const server = await Engine.start(t, { engine: path, config: 'write_deadline: 5\n' })
      await server.waitForLog(/^\/.*server\.conf:2:1: invalid use of field "write_deadline"/)
    })

    it('a port that is taken is fatal', async (t) => {
      const server = await Engine.start(t, { engine: path })
      const { code, stderr } = await command('-a', '127.0.0.1', '-p', `${server.port}`)
      assert.equal(code, 1)
      assert.match(
        stderr,
        new RegExp(
          `\\[FTL\\] Error listening on port: 127.0.0.1:${server.port}, ".*address already in use"\n$`,
        ),
      )
    })

    it('an address that cannot be listened on is fatal, in one line that says why', async (t) => {
      const fatal = async (args: string[], text: string | RegExp): Promise<void> => {
        const { code, stderr } = await command(...args)
        const last = stderr
          .split('\n')
          .at(-2)!
          .replace(/^.*(?=\[FTL\])/, '')
        assert.equal(code, 1, stderr)
        if (typeof text === 'string') assert.equal(last, `[FTL] ${text}`)
        else assert.match(last, text)
      }
      const any = ['-a', '127.0.0.1', '-p', '-1']
      for (const port of ['70000', '-2']) {
        await fatal(
          ['-a', '127.0.0.1', '-p', port],
          `Error listening on port: 127.0.0.1:${port}, "listen tcp: address ${port}: invalid port"`,
        )
      }
      await fatal(
        [...any, '-m', '70000'],
        "Can't start monitoring: can't listen to the monitor port: listen tcp: address 70000: invalid port",
      )
      // An address for documentation, which no machine has.
      await fatal(
        ['-a', '192.0.2.1', '-p', '-1'],
        'Error listening on port: 192.0.2.1:0, "listen tcp 192.0.2.1:0: bind: cannot assign requested address"',
      )
      await fatal(
        ['-a', 'host.invalid', '-p', '-1'],
        /^\[FTL\] Error listening on port: host\.invalid:0, "listen tcp: lookup host\.invalid.*: (no such host|.*)"$/,
      )
      const taken = await Engine.start(t, { engine: path })
      await fatal(
        [
          '-c',
          file(t, `listen: "127.0.0.1:-1"\nwebsocket { listen: "127.0.0.1:${taken.port}", no_tls: true }\n`),
        ],
        `Unable to listen for websocket connections: listen tcp 127.0.0.1:${taken.port}: bind: address already in use`,
      )
    })

    it('an address to advertise that is none is fatal', async () => {
      for (const [address, why] of [
        ['a:b', 'strconv.Atoi: parsing "b": invalid syntax'],
        ['a:1:2', 'address a:1:2: too many colons in address'],
      ]) {
        const { code, stderr } = await command('-a', '127.0.0.1', '-p', '-1', '--client_advertise', address!)
        assert.equal(code, 1)
        assert.ok(
          stderr.endsWith(
            ` [FTL] Error setting server INFO with ClientAdvertise value of ${address}, err=${why}\n`,
          ),
          stderr,
        )
      }
    })

    it('the address to advertise goes without port, and with brackets', async (t) => {
      for (const [address, host, port] of [
        ['a.example', 'a.example', 0],
        ['a.example:0', 'a.example', 0],
        ['[::1]:5', '::1', 5],
        [' a.example : 7 ', 'a.example', 7],
      ] as const) {
        const server = await Engine.start(t, { engine: path, args: ['--client_advertise', address] })
        const { info } = await RawClient.connect(t, server.port)
        assert.deepEqual([info.host, info.port], [host, port || server.port])
      }
    })

    it('an empty address is every address', async (t) => {
      const server = await Engine.start(t, { engine: path, args: ['-a', ''] })
      await server.waitForLog(/Listening for client connections on 0\.0\.0\.0:\d+\n/)
    })

    it('a log file that cannot be opened is fatal', async (t) => {
      const dir = tempDir(t)
      for (const [log, why] of [
        ['/nowhere/a.log', 'no such file or directory'],
        [dir, 'is a directory'],
      ]) {
        const { code, stderr } = await command('-a', '127.0.0.1', '-p', '-1', '-l', log!)
        assert.equal(code, 1)
        assert.ok(stderr.endsWith(`error opening file: open ${log}: ${why}\n`), stderr)
      }
    })

    it('a folder for the ports file that is not there is said, and the server runs', async (t) => {
      const child = spawn(path, ['-a', '127.0.0.1', '-p', '-1', '--ports_file_dir', '/nowhere'], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      t.after(() => stop(child))
      let log = ''
      child.stderr.on('data', (piece) => {
        log += piece
      })
      await waitFor(
        () =>
          /\[ERR\] Error writing ports file \((\/nowhere\/.*\.ports)\): open \1: no such file or directory\n/.test(
            log,
          ),
        { what: () => `the error in:\n${log}` },
      )
      await waitFor(() => log.includes('Server is ready'), { what: () => `the server to be ready:\n${log}` })
    })

    it('a pid file that cannot be written is fatal', async () => {
      const { code, stderr } = await command('-a', '127.0.0.1', '-p', '-1', '-P', '/nowhere/a.pid')
      assert.equal(code, 1)
      assert.match(
        stderr,
        /\[FTL\] Could not write pidfile: .*\/nowhere\/a\.pid.*no such file or directory.*\n$/,
      )
      const folder = await command('-a', '127.0.0.1', '-p', '-1', '-P', '/')
      assert.equal(folder.code, 1)
      assert.match(folder.stderr, /\[FTL\] Could not write pidfile: open \/: is a directory\n$/)
    })

    it('the pid file stays when the server ends, the ports file does not', async (t) => {
      const server = await Engine.start(t, {
        engine: path,
        config: 'pid_file: "%DIR%/a.pid"',
        dir: tempDir(t),
      })
      const ports = (): string[] => readdirSync(server.dir).filter((entry) => entry.endsWith('.ports'))
      assert.deepEqual(ports(), [`${name}_${server.pid}.ports`])
      assert.equal(readFileSync(join(server.dir, 'a.pid'), 'utf8'), `${server.pid}`)
      server.kill('SIGTERM')
      assert.deepEqual(await server.exited, { code: 0, signal: null })
      assert.deepEqual(ports(), [])
      assert.ok(existsSync(join(server.dir, 'a.pid')))
      assert.match(
        server.log(),
        /Trapped "terminated" signal\n.*Initiating Shutdown\.\.\.\n(.*\n)*.*Server Exiting\.\.\n$/,
      )
    })

    it('secrets do not show among the arguments of the process', async (t) => {
      if (process.platform !== 'linux') return t.skip('needs /proc')
      const server = await Engine.start(t, { engine: path, args: ['--user', 'u', '--pass=s3cret'] })
      // The official server hides them in its own copy only, which /debug/vars shows.
      if (name === 'ngs-server')
        assert.doesNotMatch(readFileSync(`/proc/${server.pid}/cmdline`, 'utf8'), /s3cret/)
    })

    it('the ports file moves with a reload', async (t) => {
      const dir = tempDir(t)
      const config = join(dir, 'a.conf')
      const write = (to: string): void =>
        writeFileSync(config, `listen: "127.0.0.1:-1"\nports_file_dir: "${join(dir, to)}"\n`)
      const ports = (to: string): string[] =>
        readdirSync(join(dir, to)).filter((entry) => entry.endsWith('.ports'))
      for (const to of ['one', 'two']) mkdirSync(join(dir, to))
      write('one')
      const child = spawn(path, ['-c', config], { stdio: 'ignore' })
      t.after(() => stop(child))
      const [entry] = await waitFor(() => (ports('one').length > 0 ? ports('one') : null), {
        what: 'the ports file',
      })
      write('two')
      child.kill('SIGHUP')
      await waitFor(() => ports('two').length > 0 && ports('one').length === 0, {
        what: 'the moved ports file',
      })
      const { nats } = JSON.parse(readFileSync(join(dir, 'two', entry!), 'utf8')) as { nats: string[] }
      await RawClient.connect(t, nats[0]!)
      await stop(child)
      assert.deepEqual(ports('two'), [])
    })

    it('a reload without a file is refused', async (t) => {
      const child = spawn(path, ['-a', '127.0.0.1', '-p', `${await freePort()}`], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      t.after(() => stop(child))
      let log = ''
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        log += text
      })
      await waitFor(() => log.includes('Server is ready'), { what: () => `the server to be ready:\n${log}` })
      child.kill('SIGHUP')
      const text =
        'Failed to reload server configuration: can only reload config when a file is provided using -c or --config'
      await waitFor(() => log.includes(text), { what: () => `the refusal:\n${log}` })
    })
  })

  describe(`--signal [${name}]`, () => {
    const signal = (parameter: string, pgrep?: string): Promise<Outcome> =>
      run(path, ['--signal', parameter], pgrep === undefined ? {} : { env: { ...process.env, PATH: pgrep } })
    const refuses = async (parameter: string, text: string, pgrep?: string): Promise<void> => {
      const { code, stdout, stderr } = await signal(parameter, pgrep)
      assert.deepEqual([code, stdout, stderr], [1, '', `${name}: ${text}\n`])
    }
    /** A PATH whose pgrep prints these pids. */
    const pgrep = (t: TestContext, ...pids: number[]): string => {
      const dir = join(tempDir(t), 'bin')
      mkdirSync(dir)
      const script = join(dir, 'pgrep')
      writeFileSync(
        script,
        `#!/bin/sh\n${pids.map((pid) => `echo ${pid}`).join('\n')}\n[ ${pids.length} -gt 0 ]\n`,
      )
      chmodSync(script, 0o755)
      return `${dir}:${process.env['PATH']}`
    }

    it('sends each signal, by pid or pid file', async (t) => {
      const server = await Engine.start(t, { engine: path, config: 'pid_file: "%DIR%/a.pid"' })
      const pidFile = join(server.dir, 'a.pid')
      assert.deepEqual(await signal(`reload=${pidFile}`), { code: 0, signal: null, stdout: '', stderr: '' })
      await server.waitForLog(/Trapped "hangup" signal\n(.*\n)*.*Reloaded server configuration/)
      assert.equal((await signal(`reopen=${server.pid}`)).code, 0)
      await server.waitForLog(/Trapped "user defined signal 1" signal/)
      assert.equal((await signal(`quit=${server.pid}`)).code, 0)
      assert.deepEqual(await server.exited, { code: 0, signal: null })
      assert.match(server.log(), /Trapped "interrupt" signal/)
      for (const [word, ended] of [
        ['term', { code: 0, signal: null }],
        ['ldm', { code: 0, signal: null }],
        ['stop', { code: null, signal: 'SIGKILL' }],
      ] as const) {
        const other = await Engine.start(t, { engine: path })
        assert.equal((await signal(`${word}=${other.pid}`)).code, 0)
        assert.deepEqual(await other.exited, ended)
      }
    })

    it('finds the only server by itself, and says when there are none or several', async (t) => {
      const server = await Engine.start(t, { engine: path })
      assert.equal((await signal('reload', pgrep(t, server.pid))).code, 0)
      await server.waitForLog(/Reloaded server configuration/)
      await refuses('reload', `no ${name} processes running`, pgrep(t))
      await refuses(
        'reload',
        `multiple ${name} processes running:\n1234567\n1234568`,
        pgrep(t, 1234567, 1234568),
      )
      await refuses('reload', 'unable to resolve pid, try providing one', '/nowhere:/bin-that-is-not-there')
    })

    it('takes the beginning of pids', async (t) => {
      const server = await Engine.start(t, { engine: path })
      const prefix = `${server.pid}`.slice(0, -1)
      assert.equal((await signal(`reload=${prefix}*`, pgrep(t, 99999999, server.pid))).code, 0)
      await server.waitForLog(/Reloaded server configuration/)
    })

    it('says what it cannot do', async () => {
      await refuses('bogus=1', 'unknown signal "bogus"')
      await refuses('reload=abc', 'invalid pid: abc')
      await refuses('reload=1=2', 'invalid signal parameters: [2]')
      await refuses('reload=99999999', '\nsignal "reload" 99999999: no such process')
    })
  })
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve()
    child.on('exit', () => resolve())
    child.kill('SIGTERM')
  })
}
