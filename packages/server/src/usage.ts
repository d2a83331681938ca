// What `--help` and `--help_tls` print: the flags in the order of the official server.

export const USAGE = `
Usage: ngs-server [options]

Server Options:
    -a, --addr, --net <host>         Address to listen on (default: 0.0.0.0)
    -p, --port <port>                Port for clients (default: 4222, -1 for any free one)
    -n, --name
        --server_name <server_name>  Name of the server (default: its id)
    -P, --pid <file>                 File to write the process id to
    -m, --http_port <port>           Port for HTTP monitoring (-1 for any free one)
    -ms,--https_port <port>          Port for HTTPS monitoring
    -c, --config <file>              Configuration file
    -t                               Check the configuration file and exit
    -sl,--signal <signal>[=<pid>]    Send a running server a signal: ldm, stop, quit, term, reopen, reload.
                                     <pid> is a process id, a pid file, or the beginning of process ids followed by *
        --client_advertise <string>  host or host:port to announce to clients
        --ports_file_dir <dir>       Folder for a file that names the ports in use (ngs-server_<pid>.ports)

Logging Options:
    -l, --log <file>                 Log to a file instead of stderr
    -T, --logtime                    Time stamps in log lines (default: true)
        --logtime_utc                Time stamps in UTC (default: false)
    -D, --debug                      Log debug lines
    -V, --trace                      Log protocol lines
    -VV                              Log protocol lines, those of the system account too
    -DV                              Debug and trace
    -DVV                             Debug and trace, the system account too
        --log_size_limit <limit>     Bytes after which the log file is rotated (default: never)
        --max_traced_msg_len <len>   Bytes of a message in trace lines (default: all)

Authorization Options:
        --user <user>                User that clients have to name
        --pass <password>            Password of that user
        --auth <token>               Token that clients have to bring

TLS Options:
        --tls                        TLS without client certificates (default: false)
        --tlscert <file>             Certificate of the server
        --tlskey <file>              Private key of that certificate
        --tlsverify                  TLS with client certificates, which are verified
        --tlscacert <file>           Certificate authorities for them

Common Options:
    -h, --help                       Show this text
    -v, --version                    Show the version
        --help_tls                   Show what the tls block of a configuration file takes

Examples:
    ngs-server                       Listen on 0.0.0.0:4222
    ngs-server -p -1 -m 8222 -D      Any free port, monitoring on 8222, debug log
    ngs-server -c nats-server.conf   Run from a configuration file of nats-server
    ngs-server -t -c my.conf         Check a configuration file
    ngs-server --signal reload=my.pid
`

export const TLS_USAGE = `
TLS is configured by the tls block of a configuration file, for example:

    tls {
        cert_file: "./certs/server-cert.pem"
        key_file:  "./certs/server-key.pem"
        ca_file:   "./certs/ca.pem"
        verify:    true
        timeout:   2
    }
`
