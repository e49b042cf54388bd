# bash completion for l4d. Made by packaging/completions/make.py.

_l4d_value() { # COMMAND OPTION: what stands behind this option
    case "$1 $2" in
        " -c") echo file ;;
        " -s") echo signal ;;
        " --set") echo other ;;
        "status --socket") echo file ;;
        "status -c") echo file ;;
        "top --socket") echo file ;;
        "top -c") echo file ;;
        "top --interval") echo other ;;
        "sessions --listener") echo listener ;;
        "sessions --upstream") echo upstream ;;
        "sessions --server") echo server ;;
        "sessions --client") echo other ;;
        "sessions --older") echo other ;;
        "sessions --limit") echo other ;;
        "sessions --sort") echo sort ;;
        "sessions --socket") echo file ;;
        "sessions -c") echo file ;;
        "kill --listener") echo listener ;;
        "kill --upstream") echo upstream ;;
        "kill --server") echo server ;;
        "kill --client") echo other ;;
        "kill --older") echo other ;;
        "kill --socket") echo file ;;
        "kill -c") echo file ;;
        "servers --socket") echo file ;;
        "servers -c") echo file ;;
        "drain --socket") echo file ;;
        "drain -c") echo file ;;
        "ready --socket") echo file ;;
        "ready -c") echo file ;;
        "maint --socket") echo file ;;
        "maint -c") echo file ;;
        "weight --socket") echo file ;;
        "weight -c") echo file ;;
        "explain --socket") echo file ;;
        "explain -c") echo file ;;
        "diff --socket") echo file ;;
        "diff -c") echo file ;;
        "diff --set") echo other ;;
    esac
}

_l4d_argument() { # COMMAND: what stands without an option
    case "$1" in
        kill) echo session ;;
        servers) echo upstream ;;
        drain) echo server ;;
        ready) echo server ;;
        maint) echo server ;;
        weight) echo server ;;
        explain) echo listener ;;
    esac
}

_l4d_options() { # COMMAND
    case "$1" in
        "") printf '%s\n' -c -d -t -q -T -s --set -v -V -h ;;
        status) printf '%s\n' --socket -c --json -h ;;
        top) printf '%s\n' --socket -c --interval --once -h ;;
        sessions) printf '%s\n' --listener --upstream --server --client --older --limit --sort --socket -c --json -h ;;
        kill) printf '%s\n' --listener --upstream --server --client --older --yes --socket -c --json -h ;;
        servers) printf '%s\n' --socket -c --json -h ;;
        drain) printf '%s\n' --socket -c --json -h ;;
        ready) printf '%s\n' --socket -c --json -h ;;
        maint) printf '%s\n' --socket -c --json -h ;;
        weight) printf '%s\n' --socket -c --json -h ;;
        explain) printf '%s\n' --socket -c --json -h ;;
        diff) printf '%s\n' --socket -c --set --json -h ;;
        demo) printf '%s\n' --once -h ;;
    esac
}

_l4d_offer() { # lines of standard input, those that begin like the word that is being typed
    local word
    while IFS= read -r word; do
        [[ $word == "$cur"* ]] && COMPREPLY+=("$(printf %q "$word")")
    done
}

_l4d() {
    local line="${COMP_LINE:0:COMP_POINT}" cur="" word command="" kind
    local -a words where=()
    read -ra words <<<"$line" # not COMP_WORDS, which are cut at colons
    [[ $line == *[[:space:]] ]] || { cur="${words[-1]}"; unset 'words[-1]'; }
    COMPREPLY=()
    [[ ${#words[@]} -gt 1 && ${words[1]} != -* ]] && command="${words[1]}"
    for ((word = 1; word < ${#words[@]} - 1; word++)); do
        case "${words[word]}" in --socket | -c) where=("${words[word]}" "${words[word + 1]}") ;; esac
    done
    kind="$(_l4d_value "$command" "${words[-1]}")"
    if [[ -z $kind && $cur == -* ]]; then
        kind=options
    elif [[ -z $kind && -z $command && ${#words[@]} -eq 1 ]]; then
        kind=commands
    elif [[ -z $kind ]]; then
        kind="$(_l4d_argument "$command")"
    fi
    case $kind in
        options) _l4d_offer < <(_l4d_options "$command") ;;
        commands) _l4d_offer < <(printf '%s\n' status top sessions kill servers drain ready maint weight explain diff demo) ;;
        signal) _l4d_offer < <(printf '%s\n' stop quit reload reopen upgrade) ;;
        sort) _l4d_offer < <(printf '%s\n' age client idle listener server bytes) ;;
        file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
        listener | upstream | server | session) _l4d_offer < <("${words[0]}" names "$kind" "${where[@]}" 2>/dev/null) ;;
    esac
    local colon="${cur%"${cur##*:}"}" # bash replaces what stands behind the last colon only
    [[ $COMP_WORDBREAKS == *:* ]] && COMPREPLY=("${COMPREPLY[@]#"$colon"}")
    return 0
}

complete -F _l4d l4d
