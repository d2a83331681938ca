/** What is meant to differ from the official program, and why; scenarios that meet it compare less. */
interface Difference {
  call: RegExp
  why: string
  /** Whether what is on disk afterwards differs too. */
  leaves?: 'other files'
}

const DIFFERENCES: readonly Difference[] = [
  // --- it crashes, or leaves half of the work behind ------------------------------------------------------------
  { call: /^add user -k nonsense/, why: 'the official program crashes' },
  { call: /^generate config --dir other/, why: 'the official program crashes' },
  {
    call: /^init --name a\/b/,
    why: 'it makes half an operator, in folders of other ones',
    leaves: 'other files',
  },
  { call: /^init $/, why: 'it asks where nobody can answer' },
  {
    call: /^edit user --tag x -K account.nk/,
    why: 'it says that it wrote creds for the token it could not store',
  },
  // --- it loses or keeps what was not asked for -----------------------------------------------------------------
  {
    call: /^delete mapping --cluster text/,
    why: 'it deletes the mappings of all clusters when asked for those of one',
    leaves: 'other files',
  },
  {
    call: /^edit export --private=false --subject orders/,
    why: 'it forgets whom the export was revoked for',
    leaves: 'other files',
  },
  { call: /--js-max-bytes-required/, why: 'it does not report that change' },
  // --- we say more ----------------------------------------------------------------------------------------------
  {
    call: /^add import --account B --(src-account A|local-subject there|name|service|allow-trace)/,
    why: 'we warn of imports that nobody exports',
  },
  { call: /^validate --file token.txt/, why: 'its tables are empty where there are no issues' },
  { call: /^list keys --(account|user) nope/, why: 'it adds that no keys matched' },
  {
    call: /^(delete mapping|generate context|revocations add-user) --account nope/,
    why: 'it goes on without the account and fails at what comes next',
  },
  { call: /^rename account $/, why: 'the warning is in words of our own' },
  { call: /^test whoflag /, why: 'it lists commands in an order that changes' },
  { call: /^import user -f self.jwt/, why: 'it is no user claim, in other words' },
  // --- the rest -------------------------------------------------------------------------------------------------
  {
    call: /^generate context/,
    why: 'the file is 0600, as the nats program itself makes it',
    leaves: 'other files',
  },
  { call: /^fix --in backup/, why: 'it takes curve keys for damaged files', leaves: 'other files' },
]

export function differenceOf(call: string): Difference | null {
  return DIFFERENCES.find((difference) => difference.call.test(call)) ?? null
}
