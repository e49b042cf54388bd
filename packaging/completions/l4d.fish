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
complete -c l4d -n 'not __l4d_command' -a status -d 'is all well? listeners, upstreams, workers, the last reload, the newest bad ends'
complete -c l4d -n 'not __l4d_command' -a top -d 'the same, live, with rates; q quits'
complete -c l4d -n 'not __l4d_command' -a sessions -d 'who is connected'
complete -c l4d -n 'not __l4d_command' -a kill -d 'end sessions: one by its id, or all that the filters name'
complete -c l4d -n 'not __l4d_command' -a servers -d 'every server: state, why, sessions, failures, connect time'
complete -c l4d -n 'not __l4d_command' -a drain -d 'give servers nothing new; what lives may finish'
complete -c l4d -n 'not __l4d_command' -a ready -d 'give servers sessions again'
complete -c l4d -n 'not __l4d_command' -a maint -d 'give servers nothing new, and do not check them'
complete -c l4d -n 'not __l4d_command' -a weight -d 'change the weight of servers: 1 to 65535, or '\''file'\'' for what the file says'
complete -c l4d -n 'not __l4d_command' -a explain -d 'which server would this client get, and why none of the others'
complete -c l4d -n 'not __l4d_command' -a diff -d 'what would a reload change, and how many sessions would it touch?'
complete -c l4d -n 'not __l4d_command' -a demo -d 'see it work, with nothing prepared'
complete -c l4d -n 'not __l4d_command' -s c -d 'the configuration' -r -F
complete -c l4d -n 'not __l4d_command' -s d -d 'run as a daemon'
complete -c l4d -n 'not __l4d_command' -s t -d 'check the configuration'
complete -c l4d -n 'not __l4d_command' -s q -d 'with -t: say nothing when all is fine'
complete -c l4d -n 'not __l4d_command' -s T -d 'check, and print the effective configuration'
complete -c l4d -n 'not __l4d_command' -s s -d 'tell the running l4d' -x -a 'stop quit reload reopen upgrade'
complete -c l4d -n 'not __l4d_command' -l set -d 'override one key, as in main.workers=2' -x
complete -c l4d -n 'not __l4d_command' -s v -d 'the version'
complete -c l4d -n 'not __l4d_command' -s V -d 'the version, with all it stands on'
complete -c l4d -n 'not __l4d_command' -s h -d 'help'
complete -c l4d -n '__l4d_is status' -l socket -d 'the admin socket of the running l4d' -r -F
complete -c l4d -n '__l4d_is status' -s c -d 'the configuration that names it (admin.socket)' -r -F
complete -c l4d -n '__l4d_is status' -l json -d 'for programs: what the API says, one JSON document'
complete -c l4d -n '__l4d_is status' -s h -d 'help'
complete -c l4d -n '__l4d_is top' -l socket -d 'the admin socket of the running l4d' -r -F
complete -c l4d -n '__l4d_is top' -s c -d 'the configuration that names it (admin.socket)' -r -F
complete -c l4d -n '__l4d_is top' -l interval -d 'seconds between two pictures; 1 when not given' -x
complete -c l4d -n '__l4d_is top' -l once -d 'one picture, and no more; so it is where there is no terminal'
complete -c l4d -n '__l4d_is top' -s h -d 'help'
complete -c l4d -n '__l4d_is sessions' -l listener -d 'those of this listener' -x -a '(__l4d_names listener)'
complete -c l4d -n '__l4d_is sessions' -l upstream -d 'those of this upstream' -x -a '(__l4d_names upstream)'
complete -c l4d -n '__l4d_is sessions' -l server -d 'those of this server: pg/two, or its address' -x -a '(__l4d_names server)'
complete -c l4d -n '__l4d_is sessions' -l client -d 'those of this client: an address, with a port, or a network as in 10.0.0.0/8' -x
complete -c l4d -n '__l4d_is sessions' -l older -d 'those that have lasted at least so long: 30s, 10m, 1h' -x
complete -c l4d -n '__l4d_is sessions' -l limit -d 'show so many at most; 1000 when not given' -x
complete -c l4d -n '__l4d_is sessions' -l sort -d 'by age, client, idle, listener, server, bytes' -x -a 'age client idle listener server bytes'
complete -c l4d -n '__l4d_is sessions' -l socket -d 'the admin socket of the running l4d' -r -F
complete -c l4d -n '__l4d_is sessions' -s c -d 'the configuration that names it (admin.socket)' -r -F
complete -c l4d -n '__l4d_is sessions' -l json -d 'for programs: what the API says, one JSON document'
complete -c l4d -n '__l4d_is sessions' -s h -d 'help'
complete -c l4d -n '__l4d_is kill' -l listener -d 'those of this listener' -x -a '(__l4d_names listener)'
complete -c l4d -n '__l4d_is kill' -l upstream -d 'those of this upstream' -x -a '(__l4d_names upstream)'
complete -c l4d -n '__l4d_is kill' -l server -d 'those of this server: pg/two, or its address' -x -a '(__l4d_names server)'
complete -c l4d -n '__l4d_is kill' -l client -d 'those of this client: an address, with a port, or a network as in 10.0.0.0/8' -x
complete -c l4d -n '__l4d_is kill' -l older -d 'those that have lasted at least so long: 30s, 10m, 1h' -x
complete -c l4d -n '__l4d_is kill' -l yes -d 'do not ask first'
complete -c l4d -n '__l4d_is kill' -l socket -d 'the admin socket of the running l4d' -r -F
complete -c l4d -n '__l4d_is kill' -s c -d 'the configuration that names it (admin.socket)' -r -F
complete -c l4d -n '__l4d_is kill' -l json -d 'for programs: what the API says, one JSON document'
complete -c l4d -n '__l4d_is kill' -s h -d 'help'
complete -c l4d -n '__l4d_is kill' -a '(__l4d_names session)'
complete -c l4d -n '__l4d_is servers' -l socket -d 'the admin socket of the running l4d' -r -F
complete -c l4d -n '__l4d_is servers' -s c -d 'the configuration that names it (admin.socket)' -r -F
complete -c l4d -n '__l4d_is servers' -l json -d 'for programs: what the API says, one JSON document'
complete -c l4d -n '__l4d_is servers' -s h -d 'help'
complete -c l4d -n '__l4d_is servers' -a '(__l4d_names upstream)'
complete -c l4d -n '__l4d_is drain' -l socket -d 'the admin socket of the running l4d' -r -F
complete -c l4d -n '__l4d_is drain' -s c -d 'the configuration that names it (admin.socket)' -r -F
complete -c l4d -n '__l4d_is drain' -l json -d 'for programs: what the API says, one JSON document'
complete -c l4d -n '__l4d_is drain' -s h -d 'help'
complete -c l4d -n '__l4d_is drain' -a '(__l4d_names server)'
complete -c l4d -n '__l4d_is ready' -l socket -d 'the admin socket of the running l4d' -r -F
complete -c l4d -n '__l4d_is ready' -s c -d 'the configuration that names it (admin.socket)' -r -F
complete -c l4d -n '__l4d_is ready' -l json -d 'for programs: what the API says, one JSON document'
complete -c l4d -n '__l4d_is ready' -s h -d 'help'
complete -c l4d -n '__l4d_is ready' -a '(__l4d_names server)'
complete -c l4d -n '__l4d_is maint' -l socket -d 'the admin socket of the running l4d' -r -F
complete -c l4d -n '__l4d_is maint' -s c -d 'the configuration that names it (admin.socket)' -r -F
complete -c l4d -n '__l4d_is maint' -l json -d 'for programs: what the API says, one JSON document'
complete -c l4d -n '__l4d_is maint' -s h -d 'help'
complete -c l4d -n '__l4d_is maint' -a '(__l4d_names server)'
complete -c l4d -n '__l4d_is weight' -l socket -d 'the admin socket of the running l4d' -r -F
complete -c l4d -n '__l4d_is weight' -s c -d 'the configuration that names it (admin.socket)' -r -F
complete -c l4d -n '__l4d_is weight' -l json -d 'for programs: what the API says, one JSON document'
complete -c l4d -n '__l4d_is weight' -s h -d 'help'
complete -c l4d -n '__l4d_is weight' -a '(__l4d_names server)'
complete -c l4d -n '__l4d_is explain' -l socket -d 'the admin socket of the running l4d' -r -F
complete -c l4d -n '__l4d_is explain' -s c -d 'the configuration that names it (admin.socket)' -r -F
complete -c l4d -n '__l4d_is explain' -l json -d 'for programs: what the API says, one JSON document'
complete -c l4d -n '__l4d_is explain' -s h -d 'help'
complete -c l4d -n '__l4d_is explain' -a '(__l4d_names listener)'
complete -c l4d -n '__l4d_is diff' -l socket -d 'the admin socket of the running l4d' -r -F
complete -c l4d -n '__l4d_is diff' -s c -d 'the configuration to compare, it also names the socket (admin.socket)' -r -F
complete -c l4d -n '__l4d_is diff' -l set -d 'override one key, as l4d was started with' -x
complete -c l4d -n '__l4d_is diff' -l json -d 'for programs: one JSON document'
complete -c l4d -n '__l4d_is diff' -s h -d 'help'
complete -c l4d -n '__l4d_is demo' -l once -d 'end after its own check'
complete -c l4d -n '__l4d_is demo' -s h -d 'help'
