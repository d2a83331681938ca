/**
 * Completion scripts. They know nothing themselves: they ask `nsc __complete`, which prints one candidate a line
 * (a tab and what it is for behind it), and last `:files` where names of files are wanted, else `:none`.
 */

export type Shell = 'bash' | 'zsh' | 'fish'

export function completionScript(shell: Shell, descriptions: boolean): string {
  return { bash, zsh, fish }[shell](descriptions ? '' : ' --no-descriptions')
}

// Bash shows no descriptions, and hands words over as they were typed, quotes and all. Bash 3 has no compopt.
function bash(): string {
  return `# bash completion for nsc
_nsc() {
    local line directive=
    local -a words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            :*) directive=$line ;;
            *) COMPREPLY+=("$(printf '%q' "$line")") ;;
        esac
    done < <("\${COMP_WORDS[0]}" __complete --no-descriptions --quoted -- "\${words[@]}" 2>/dev/null)
    if [[ $directive == :files && \${#COMPREPLY[@]} -eq 0 ]] && type compopt >/dev/null 2>&1; then
        compopt -o default
    fi
}
complete -F _nsc nsc
`
}

function zsh(option: string): string {
  return `#compdef nsc
# zsh completion for nsc
_nsc() {
    local line directive tab=$'\\t'
    local -a lines described
    lines=("\${(@f)$("\${(Q)words[1]}" __complete${option} -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    for line in $lines; do
        case $line in
            :*) directive=$line ;;
            *$tab*) described+=("\${\${line%%$tab*}//:/\\\\:}:\${line#*$tab}") ;;
            ?*) described+=("\${line//:/\\\\:}") ;;
        esac
    done
    if (( $#described )); then
        _describe -t nsc nsc described
    elif [[ $directive == :files ]]; then
        _files
    fi
}
if [[ $funcstack[1] == _nsc ]]; then
    _nsc "$@"
else
    compdef _nsc nsc
fi
`
}

function fish(option: string): string {
  return `# fish completion for nsc
function __nsc_complete
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    $program __complete${option} -- $words (commandline -ct) 2>/dev/null
end
function __nsc_wants_files
    test (__nsc_complete)[-1] = :files
end
complete -c nsc -n 'not __nsc_wants_files' -f
complete -c nsc -n __nsc_wants_files -F
complete -c nsc -a '(__nsc_complete | string match -v -r "^:")'
`
}
