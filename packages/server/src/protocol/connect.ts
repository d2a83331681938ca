// CONNECT and INFO: shapes, and CONNECT's JSON read by the rules of the official decoder (keys in any case, wrong types refused).

export interface ConnectOptions {
  verbose: boolean
  pedantic: boolean
  echo: boolean
  headers: boolean
  no_responders: boolean
  protocol: number
  tls_required: boolean
  user: string
  pass: string
  auth_token: string
  nkey: string
  sig: string
  jwt: string
  proxy_sig: string
  name: string
  lang: string
  version: string
  account: string
  new_account: boolean
}

/** What a connection is before, or without, CONNECT. */
export const DEFAULT_CONNECT: Readonly<ConnectOptions> = {
  verbose: true,
  pedantic: true,
  echo: true,
  headers: false,
  no_responders: false,
  protocol: 0,
  tls_required: false,
  user: '',
  pass: '',
  auth_token: '',
  nkey: '',
  sig: '',
  jwt: '',
  proxy_sig: '',
  name: '',
  lang: '',
  version: '',
  account: '',
  new_account: false,
}

/** The options with those of the JSON text over them; null when the text does not decode. Absent fields keep their value. */
export function readConnect(json: string, before: ConnectOptions): ConnectOptions | null {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return null
  }
  if (value === null) return { ...before }
  if (typeof value !== 'object' || Array.isArray(value)) return null
  const options = { ...before } as Record<string, unknown>
  for (const [key, item] of Object.entries(value)) {
    const name = key.toLowerCase()
    if (!Object.hasOwn(DEFAULT_CONNECT, name) || item === null) continue
    const wanted = typeof DEFAULT_CONNECT[name as keyof ConnectOptions]
    if (typeof item !== wanted || (wanted === 'number' && !Number.isInteger(item))) return null
    options[name] = item
  }
  return options as unknown as ConnectOptions
}

/** INFO as clients get it, in the order of the official server. Undefined fields are left out. */
export interface Info {
  server_id: string
  server_name: string
  version: string
  proto: number
  git_commit?: string | undefined
  go: string
  host: string
  port: number
  headers: boolean
  auth_required?: true | undefined
  tls_required?: true | undefined
  tls_verify?: true | undefined
  tls_available?: true | undefined
  max_payload: number
  client_id?: number | undefined
  client_ip?: string | undefined
  nonce?: string | undefined
  connect_urls?: string[] | undefined
  ldm?: true | undefined
  connect_info?: true | undefined
  remote_account?: string | undefined
  acc_is_sys?: true | undefined
  api_lvl: number
  xkey?: string | undefined
}

export function encodeInfo(info: Info): string {
  return `INFO ${JSON.stringify(info)} \r\n`
}
