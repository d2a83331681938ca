// Where ngs-server means to differ from the official server, and why. docs/server.md shows this list; a test compares the two.

export interface Difference {
  readonly what: string
  readonly here: string
  readonly why: string
}

export const DIFFERENCES: readonly Difference[] = [
  {
    what: 'reordering imports of three or more wildcards, subscribed by a narrower subject',
    here: 'the subject is mapped back exactly; the official server does so for swaps only',
    why: 'the subscriber would hear nothing, or the wrong messages',
  },
  {
    what: 'closing a connection after an error',
    here: 'the connection is half-closed and drained, so that the last `-ERR` always arrives',
    why: 'a reset may overtake the text that says what was wrong',
  },
  {
    what: '`go` in INFO and `/varz`',
    here: 'the version of Node',
    why: 'there is no Go in here; tools show the field as the run time',
  },
  {
    what: 'flags at a reload',
    here: 'they beat the file as at the start',
    why: 'the official server forgets some (`-n`, `--log_size_limit`, ...) and then refuses every reload, because the value has changed',
  },
  {
    what: 'a reload that changes the type, folder or URL of the resolver, or `resolver_tls`',
    here: 'is refused; preloaded tokens are reloaded',
    why: 'requests for claims are answered from the store that is open',
  },
  {
    what: '`syslog`, `remote_syslog`, `prof_port` and their flags',
    here: 'are refused by name',
    why: 'a service manager collects stderr; Node has profiles of its own',
  },
  {
    what: '`Nats-Request-Info` in other letters (`nats-request-info`) from a client',
    here: 'does not reach the service',
    why: 'services whose client library ignores case would believe it',
  },
  {
    what: 'chains of services over more than 64 accounts',
    here: 'a request that nobody answers at their end goes without `503`',
    why: 'the stack of one operation is bounded; requests and responses themselves arrive',
  },
  {
    what: 'responses that a service owes while the JWT of its account changes',
    here: 'still reach who waits for them; the official server forgets them',
    why: 'a push should lose no requests',
  },
  {
    what: 'an import that was refused while its exporter changes several times',
    here: 'is tried again each time; the official server tries once, then not before the importer changes',
    why: 'what is in force should follow from the JWTs, not from their history',
  },
  {
    what: 'log lines about protocol errors',
    here: '`Client parser ERROR` without the state of the parser',
    why: 'the states are those of another parser',
  },
  {
    what: 'profiles (`PROFILEZ`)',
    here: '`cpu`, `heap` and `allocs`, as the tools of V8 read them; others are not found',
    why: 'Node has no profiles of Go',
  },
  {
    what: '`/debug/vars`, `/stacksz`, `/ipqueuesz`, the look of the index page',
    here: 'memory under the names of Go, zero where Node has no such figure; what the process waits for; no queues',
    why: 'they show the inside of another program',
  },
  {
    what: 'handlers of the server itself in `/subsz`',
    here: 'have the connection number 0',
    why: 'they belong to no connection',
  },
  {
    what: 'subscriptions of closed connections in `/connz`',
    here: '100000 are remembered over all of them, then the oldest connections keep their count only',
    why: 'a stranger could fill the memory',
  },
  {
    what: '`description` of code 400 for a body that is not what it should be',
    here: 'has its own words',
    why: "those of the official server are of Go's JSON decoder",
  },
  {
    what: 'requests to monitoring that are no proper HTTP, or of a method that HTTP does not know',
    here: "are refused by Node's HTTP parser, in its words; HTTP/1.0 is answered as HTTP/1.1",
    why: "the HTTP server is Node's",
  },
  {
    what: 'messages that are only traced (`Nats-Trace-Only`), in `out_msgs` and the counts of accounts',
    here: 'are not counted',
    why: 'nobody gets them',
  },
  {
    what: '`MSG` lines of events and answers of the server itself',
    here: 'have one blank before the size; those of the official server have two',
    why: 'the protocol has one',
  },
  {
    what: 'the counts of accounts (`CONNS`) at a reload',
    here: 'are told once; the official server tells 0 and then the count',
    why: 'nobody has left',
  },
  {
    what: 'claims that are pushed to a server without an operator',
    here: 'get no responders; the official server looks at them',
    why: 'there is nothing that could hold them',
  },
  {
    what: 'the option `metrics`',
    here: '`/metrics` of monitoring for Prometheus',
    why: 'no exporter is needed',
  },
  {
    what: 'the option `busy_poll`',
    here: 'looks for the next message for 150 us before it sleeps, while connections answer each other',
    why: 'to sleep and be woken up takes longer than the message itself',
  },
  {
    what: 'weak cipher suites (3DES, RC4)',
    here: 'are refused by name',
    why: 'the TLS library does not have them any more',
  },
  {
    what: 'a client certificate that is not accepted',
    here: 'the connection ends without the alert that names the reason; the log has it',
    why: 'the TLS library judges certificates after the handshake',
  },
  {
    what: '`pinned_certs` of `websocket`',
    here: 'are checked; the official server checks those of the client port only',
    why: 'a pin that does not hold is worse than none',
  },
  {
    what: '`websocket` without `handshake_timeout`',
    here: 'an upgrade may take 60 s',
    why: 'connections that ask for nothing would stay for ever',
  },
  {
    what: 'log lines of a client behind a PROXY header',
    here: "have the client's address from CONNECT on; the official server goes on showing the proxy's",
    why: 'the header is there to tell them apart',
  },
  {
    what: 'a log file that cannot be opened at a reload or by SIGUSR1',
    here: 'the log stays where it is, and says so',
    why: 'the official server ends',
  },
  {
    what: '`tls_peer_certs` of `/connz`, and the chain in questions to a callout service',
    here: "the client's own certificate; in the chain also the authorities of `ca_file`",
    why: 'the TLS library does not tell which others the client sent along',
  },
  {
    what: 'lines of the log in debug mode about logins that are refused',
    here: 'say why for users of the configuration file and unreadable JWTs, too',
    why: 'whoever reads them wants to know',
  },
  {
    what: 'a user whom the scope of a signing key makes a bearer',
    here: '`/connz` has no `jwt`; the official server hides the tokens only that say so themselves',
    why: 'whoever reads it could log in with it',
  },
  {
    what: 'requests for a WebSocket with more than 128 KiB of header fields',
    here: 'are refused (431); the official server takes 1 MiB',
    why: 'a stranger could fill the memory',
  },
  {
    what: 'requests for a WebSocket that break the rules of HTTP (lines without CR, folded fields, unknown methods)',
    here: 'are refused (400) more often',
    why: "they meet Node's HTTP parser, which is strict",
  },
  {
    what: 'the system account in lame duck mode',
    here: 'goes on hearing of connections that leave, and is answered; the official server falls silent after LAMEDUCK',
    why: 'who counts connections by events would lose those that lame duck mode closes',
  },
  {
    what: 'a configuration file that includes itself or nests in more than 1000 levels, `max_closed_clients` below 0, `proxies` that come or go at a reload, stderr that nobody reads any more',
    here: 'an error, none remembered, a reload, a server that goes on',
    why: 'the official server crashes or is killed',
  },
  {
    what: 'errors about a configuration file',
    here: 'have file, line and column wherever a value is to blame',
    why: 'the official server forgets the place of some, and adds texts of its own crashes to others',
  },
  {
    what: 'a reload of a file that does not have the `system_account` it names',
    here: 'is refused; the official server goes on with the account that was there',
    why: 'the next start would fail',
  },
  {
    what: 'secrets in trace lines of CONNECT',
    here: 'are blotted out whole, in any letter case and with escaped quotes',
    why: 'the official server shows what comes after an escaped quote',
  },
  {
    what: '`max_pending` that is smaller than INFO, or negative',
    here: 'counts messages alone; the official server cuts every connection at once',
    why: 'nobody could connect to read what is wrong',
  },
  {
    what: 'numbers of CONNECT written `1.0` or `1e0`',
    here: 'are the number',
    why: 'JSON does not tell them apart',
  },
  {
    what: 'a reload that puts a single user or a token in the place of a list of users',
    here: 'takes the list out of force; the official server goes on letting its users in until it is restarted',
    why: 'who was removed must not come in',
  },
  {
    what: 'a reload that takes the `mappings` of the global account away',
    here: 'ends them; the official server keeps them until it is restarted',
    why: 'the file says what holds',
  },
]
