"""Makes the completions for bash, zsh and fish out of what the parser knows: `python packaging/completions/make.py`.

A test holds that they are what this makes, so they cannot go stale. The names of what a running l4d has come from
`l4d names KIND`, which is silent where none runs.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from l4d.cli.commands.catalogue import COMMANDS, SORTS, Argument, Command, Option, Value
from l4d.cli.options import Signal

HERE = Path(__file__).parent

PLAIN = (
    Option("-c", "the configuration", "FILE", Value.FILE),
    Option("-d", "run as a daemon"),
    Option("-t", "check the configuration"),
    Option("-q", "with -t: say nothing when all is fine"),
    Option("-T", "check, and print the effective configuration"),
    Option("-s", "tell the running l4d", "SIGNAL", Value.SIGNAL),
    Option("--set", "override one key, as in main.workers=2", "KEY=VALUE"),
    Option("-v", "the version"),
    Option("-V", "the version, with all it stands on"),
)
"""What may be typed without a command; options.py has the parser."""

HELP = Option("-h", "help")
DEMO = Command("demo", "see it work, with nothing prepared", options=(Option("--once", "end after its own check"),))
SHOWN = (*(command for command in COMMANDS.values() if not command.hidden), DEMO)
WORDS = {Value.SIGNAL: [signal.value for signal in Signal], Value.SORT: list(SORTS)}
"""Values that are one of a few words."""

FROM_L4D = (Value.LISTENER, Value.UPSTREAM, Value.SERVER, Value.SESSION)


def options_of(command: Command) -> tuple[Option, ...]:
    return (*command.options, HELP)


# bash

BASH = """\
# bash completion for l4d. Made by packaging/completions/make.py.

_l4d_value() {{ # COMMAND OPTION: what stands behind this option
    case "$1 $2" in
{values}
    esac
}}

_l4d_argument() {{ # COMMAND: what stands without an option
    case "$1" in
{arguments}
    esac
}}

_l4d_options() {{ # COMMAND
    case "$1" in
{options}
    esac
}}

_l4d_offer() {{ # lines of standard input, those that begin like the word that is being typed
    local word
    while IFS= read -r word; do
        [[ $word == "$cur"* ]] && COMPREPLY+=("$(printf %q "$word")")
    done
}}

_l4d() {{
    local line="${{COMP_LINE:0:COMP_POINT}}" cur="" word command="" kind
    local -a words where=()
    read -ra words <<<"$line" # not COMP_WORDS, which are cut at colons
    [[ $line == *[[:space:]] ]] || {{ cur="${{words[-1]}}"; unset 'words[-1]'; }}
    COMPREPLY=()
    [[ ${{#words[@]}} -gt 1 && ${{words[1]}} != -* ]] && command="${{words[1]}}"
    for ((word = 1; word < ${{#words[@]}} - 1; word++)); do
        case "${{words[word]}}" in --socket | -c) where=("${{words[word]}}" "${{words[word + 1]}}") ;; esac
    done
    kind="$(_l4d_value "$command" "${{words[-1]}}")"
    if [[ -z $kind && $cur == -* ]]; then
        kind=options
    elif [[ -z $kind && -z $command && ${{#words[@]}} -eq 1 ]]; then
        kind=commands
    elif [[ -z $kind ]]; then
        kind="$(_l4d_argument "$command")"
    fi
    case $kind in
        options) _l4d_offer < <(_l4d_options "$command") ;;
        commands) _l4d_offer < <(printf '%s\\n' {commands}) ;;
{words}
        file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
        {from_l4d}) _l4d_offer < <("${{words[0]}}" names "$kind" "${{where[@]}}" 2>/dev/null) ;;
    esac
    local colon="${{cur%"${{cur##*:}}"}}" # bash replaces what stands behind the last colon only
    [[ $COMP_WORDBREAKS == *:* ]] && COMPREPLY=("${{COMPREPLY[@]#"$colon"}}")
    return 0
}}

complete -F _l4d l4d
"""


def bash() -> str:
    commands = (Command("", "", options=PLAIN), *SHOWN)
    values = [
        f'        "{command.name} {option.flag}") echo {option.value.value} ;;'
        for command in commands
        for option in command.options
        if option.metavar
    ]
    arguments = [f"        {one.name}) echo {one.arguments[0].value.value} ;;" for one in SHOWN if one.arguments]
    options = [
        f"        {command.name or chr(34) * 2}) printf '%s\\n' {' '.join(one.flag for one in options_of(command))} ;;"
        for command in commands
    ]
    words = [
        f"        {kind.value}) _l4d_offer < <(printf '%s\\n' {' '.join(some)}) ;;" for kind, some in WORDS.items()
    ]
    return BASH.format(
        values="\n".join(values),
        arguments="\n".join(arguments),
        options="\n".join(options),
        words="\n".join(words),
        commands=" ".join(command.name for command in SHOWN),
        from_l4d=" | ".join(kind.value for kind in FROM_L4D),
    )


# zsh

ZSH = """\
#compdef l4d
# zsh completion for l4d. Made by packaging/completions/make.py.

_l4d_names() {{ # KIND: what the running l4d has
    local kind=$1 socket=${{opt_args[--socket]}} config=${{opt_args[-c]}}
    local -a where names
    [[ -n $config ]] && where=(-c "$config")
    [[ -n $socket ]] && where=(--socket "$socket")
    names=("${{(@f)$($_l4d_program names $kind $where 2>/dev/null)}}")
    shift
    compadd "$@" -- ${{names:#}}
}}

_l4d() {{
    local _l4d_program=$words[1] context state line
    typeset -A opt_args
    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
        local -a commands=(
{commands}
        )
        _describe -t commands command commands
        return
    fi
    case $words[2] in
{cases}
        *)
            _arguments -S \\
{plain}
            ;;
    esac
}}

_l4d "$@"
"""


def zsh() -> str:
    cases = [line for command in SHOWN for line in _zsh_case(command)]
    return ZSH.format(
        commands="\n".join(f"            {_quoted(f'{one.name}:{one.why}')}" for one in SHOWN),
        cases="\n".join(cases),
        plain=_zsh_specs([*map(_zsh_option, (*PLAIN, HELP))]),
    )


def _zsh_case(command: Command) -> Iterator[str]:
    yield f"        {command.name})"
    yield "            shift words; (( CURRENT-- ))"
    yield "            _arguments -S \\"
    yield _zsh_specs([*map(_zsh_option, options_of(command)), *map(_zsh_argument, command.arguments)])
    yield "            ;;"


def _zsh_specs(specs: Iterable[str]) -> str:
    return " \\\n".join(f"                {_quoted(spec)}" for spec in specs)


def _zsh_option(option: Option) -> str:
    why = option.why.replace("[", r"\[").replace("]", r"\]").replace(":", r"\:")
    repeated = "*" if option.flag == "--set" else ""
    value = f":{option.metavar}:{_zsh_action(option.value)}" if option.metavar else ""
    return f"{repeated}{option.flag}[{why}]{value}"


def _zsh_argument(argument: Argument) -> str:
    many = "*" if argument.many == "+" else ""
    optional = ":" if argument.many == "?" else ""
    return f"{many}:{optional}{argument.metavar}:{_zsh_action(argument.value)}"


def _zsh_action(value: Value) -> str:
    if value in WORDS:
        return f"({' '.join(WORDS[value])})"
    if value in FROM_L4D:
        return f"{{_l4d_names {value.value}}}"
    return "_files" if value is Value.FILE else " "


def _quoted(text: str) -> str:
    """*text* as one word of a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


# fish

FISH = """\
# fish completion for l4d. Made by packaging/completions/make.py.

function __l4d_command --description 'the command that was typed, if any'
    set --local words (commandline --tokenize --current-process --cut-at-cursor)
    test (count $words) -gt 1; and not string match --quiet -- '-*' $words[2]; and echo $words[2]
end

function __l4d_is --description 'whether this command was typed'
    test (__l4d_command) = $argv[1] 2>/dev/null
end

function __l4d_names --description 'what the running l4d has'
    set --local words (commandline --tokenize --current-process --cut-at-cursor)
    set --local where
    for at in (seq 2 (count $words))
        contains -- $words[$at] --socket -c; and set where $words[$at] $words[(math $at + 1)]
    end
    $words[1] names $argv[1] $where 2>/dev/null
end

complete --command l4d --no-files
{lines}
"""

_NO_COMMAND = "not __l4d_command"


def fish() -> str:
    lines = [
        *(f"complete -c l4d -n '{_NO_COMMAND}' -a {one.name} -d {_quoted(one.why)}" for one in SHOWN),
        *(_fish_option(_NO_COMMAND, option) for option in (*PLAIN, HELP)),
    ]
    for command in SHOWN:
        condition = f"__l4d_is {command.name}"
        lines += [_fish_option(condition, option) for option in options_of(command)]
        lines += [
            f"complete -c l4d -n '{condition}' -a '(__l4d_names {one.value.value})'"
            for one in command.arguments
            if one.value in FROM_L4D
        ]
    return FISH.format(lines="\n".join(lines))


def _fish_option(condition: str, option: Option) -> str:
    flag = f"-l {option.flag[2:]}" if option.flag.startswith("--") else f"-s {option.flag[1:]}"
    value = f" {_fish_value(option.value)}" if option.metavar else ""
    return f"complete -c l4d -n '{condition}' {flag} -d {_quoted(option.why)}{value}"


def _fish_value(value: Value) -> str:
    if value in WORDS:
        return f"-x -a '{' '.join(WORDS[value])}'"
    if value in FROM_L4D:
        return f"-x -a '(__l4d_names {value.value})'"
    return "-r -F" if value is Value.FILE else "-x"


MADE = {"l4d.bash": bash, "_l4d": zsh, "l4d.fish": fish}


def main() -> None:
    """Write all three."""
    for name, make in MADE.items():
        (HERE / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
