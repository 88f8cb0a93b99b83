# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_crafting_global_optspecs
    string join \n C= server= token= format= color= q/quiet v/verbose h/help V/version
end

function __fish_crafting_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_crafting_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_crafting_using_subcommand
    set -l cmd (__fish_crafting_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c crafting -n "__fish_crafting_needs_command" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_needs_command" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_needs_command" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_needs_command" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_needs_command" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_needs_command" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_needs_command" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_needs_command" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_needs_command" -s V -l version -d 'Print version'
complete -c crafting -n "__fish_crafting_needs_command" -f -a "init" -d 'Look at a checkout and write its crafting.toml'
complete -c crafting -n "__fish_crafting_needs_command" -f -a "project" -d 'Register projects, look at them, remove them'
complete -c crafting -n "__fish_crafting_needs_command" -f -a "job" -d 'Run jobs and look at them'
complete -c crafting -n "__fish_crafting_needs_command" -f -a "findings" -d 'Read findings, of jobs or of a captured log, and ignore some'
complete -c crafting -n "__fish_crafting_needs_command" -f -a "secret" -d 'Keep values that recipes get and nobody sees'
complete -c crafting -n "__fish_crafting_needs_command" -f -a "events" -d 'Show the audit trail: who did what to which object, when'
complete -c crafting -n "__fish_crafting_needs_command" -f -a "gc" -d 'Remove logs, slots and mirrors that are no longer needed'
complete -c crafting -n "__fish_crafting_needs_command" -f -a "serve" -d 'Run jobs for many, and answer over HTTP'
complete -c crafting -n "__fish_crafting_needs_command" -f -a "token" -d 'Mint, list and revoke the tokens that a server takes'
complete -c crafting -n "__fish_crafting_needs_command" -f -a "ledger" -d 'Look after the ledger, the database of projects, jobs and findings'
complete -c crafting -n "__fish_crafting_needs_command" -f -a "config" -d 'Show the configuration'
complete -c crafting -n "__fish_crafting_needs_command" -f -a "completions" -d 'Print a shell\'s completion script'
complete -c crafting -n "__fish_crafting_needs_command" -f -a "man" -d 'Write the manual, one page per command'
complete -c crafting -n "__fish_crafting_using_subcommand init" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand init" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand init" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand init" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand init" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand init" -l force -d 'Write over a crafting.toml that is there'
complete -c crafting -n "__fish_crafting_using_subcommand init" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand init" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand init" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand project; and not __fish_seen_subcommand_from add list show update remove" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand project; and not __fish_seen_subcommand_from add list show update remove" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand project; and not __fish_seen_subcommand_from add list show update remove" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand project; and not __fish_seen_subcommand_from add list show update remove" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand project; and not __fish_seen_subcommand_from add list show update remove" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand project; and not __fish_seen_subcommand_from add list show update remove" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand project; and not __fish_seen_subcommand_from add list show update remove" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand project; and not __fish_seen_subcommand_from add list show update remove" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand project; and not __fish_seen_subcommand_from add list show update remove" -f -a "add" -d 'Register a project: a folder of this machine or a repository\'s address'
complete -c crafting -n "__fish_crafting_using_subcommand project; and not __fish_seen_subcommand_from add list show update remove" -f -a "list" -d 'List the projects'
complete -c crafting -n "__fish_crafting_using_subcommand project; and not __fish_seen_subcommand_from add list show update remove" -f -a "show" -d 'Show a project: its subprojects and their recipes'
complete -c crafting -n "__fish_crafting_using_subcommand project; and not __fish_seen_subcommand_from add list show update remove" -f -a "update" -d 'Read a project\'s crafting.toml again, or change where it comes from'
complete -c crafting -n "__fish_crafting_using_subcommand project; and not __fish_seen_subcommand_from add list show update remove" -f -a "remove" -d 'Remove a project with its jobs, findings, logs, mirror and slots'
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from add" -l name -d 'Its name, if not the one in crafting.toml or the folder\'s' -r
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from add" -l branch -d 'The branch that jobs run when they name no ref' -r
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from add" -l file -d 'Read this file instead of the repository\'s crafting.toml' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from add" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from add" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from add" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from add" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from add" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from add" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from add" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from list" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from list" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from list" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from list" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from list" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from show" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from show" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from show" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from show" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from show" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from update" -l branch -d 'The branch that jobs run when they name no ref' -r
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from update" -l url -d 'The repository\'s new address' -r
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from update" -l file -d 'Read this file instead of the repository\'s crafting.toml' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from update" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from update" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from update" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from update" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from update" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from update" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from update" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from update" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from remove" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from remove" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from remove" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from remove" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from remove" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from remove" -s y -l yes -d 'Do not ask'
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from remove" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand project; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand job; and not __fish_seen_subcommand_from run list show log watch cancel retry" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand job; and not __fish_seen_subcommand_from run list show log watch cancel retry" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and not __fish_seen_subcommand_from run list show log watch cancel retry" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and not __fish_seen_subcommand_from run list show log watch cancel retry" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand job; and not __fish_seen_subcommand_from run list show log watch cancel retry" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand job; and not __fish_seen_subcommand_from run list show log watch cancel retry" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand job; and not __fish_seen_subcommand_from run list show log watch cancel retry" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand job; and not __fish_seen_subcommand_from run list show log watch cancel retry" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand job; and not __fish_seen_subcommand_from run list show log watch cancel retry" -f -a "run" -d 'Run recipes on the files as they are now'
complete -c crafting -n "__fish_crafting_using_subcommand job; and not __fish_seen_subcommand_from run list show log watch cancel retry" -f -a "list" -d 'List jobs, newest first'
complete -c crafting -n "__fish_crafting_using_subcommand job; and not __fish_seen_subcommand_from run list show log watch cancel retry" -f -a "show" -d 'Show all that is known of a job'
complete -c crafting -n "__fish_crafting_using_subcommand job; and not __fish_seen_subcommand_from run list show log watch cancel retry" -f -a "log" -d 'Print a job\'s log, byte for byte'
complete -c crafting -n "__fish_crafting_using_subcommand job; and not __fish_seen_subcommand_from run list show log watch cancel retry" -f -a "watch" -d 'Watch a job until it ends, then show its findings'
complete -c crafting -n "__fish_crafting_using_subcommand job; and not __fish_seen_subcommand_from run list show log watch cancel retry" -f -a "cancel" -d 'End a job'
complete -c crafting -n "__fish_crafting_using_subcommand job; and not __fish_seen_subcommand_from run list show log watch cancel retry" -f -a "retry" -d 'Run a finished job again: same commit, same recipe'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from run" -s p -l project -d 'A registered project, instead of the one of this folder' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from run" -s s -l subproject -d 'Only this subproject; may be repeated' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from run" -l ref -d 'A branch, tag or commit, instead of the files as they are now' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from run" -l timeout -d 'End each recipe after this time: 90, 90s, 10m, 1h30m' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from run" -l fail-on -d 'Exit with 1 if there is such a finding: error, warn, info (or worse), cve, new, new:warn and so on' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from run" -s j -l workers -d 'Jobs to run at once' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from run" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from run" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from run" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from run" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from run" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from run" -l committed -d 'HEAD, without uncommitted changes'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from run" -l detach -d 'Let a runner in the background take the jobs, and return at once'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from run" -l dry-run -d 'Show what would run, and run nothing'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from run" -l keep -d 'Leave each slot as it is afterwards, to look into'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from run" -l fresh -d 'Start from an empty tree, without kept build outputs'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from run" -s f -l follow -d 'Print the logs as they grow'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from list" -s p -l project -d 'Of this project' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from list" -l status -d 'In this state' -r -f -a "queued\t''
running\t''
passed\t''
failed\t''
timed_out\t''
cancelled\t''"
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from list" -l recipe -d 'Of this recipe' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from list" -l limit -d 'At most so many' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from list" -l before -d 'Only jobs queued before this one' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from list" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from list" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from list" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from list" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from list" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from show" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from show" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from show" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from show" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from show" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from log" -l tail -d 'Only the last so many lines' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from log" -l lines -d 'Only these lines, the first being 1: 10:20, 10:, :20 or 10' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from log" -l stream -d 'Only what came from this stream' -r -f -a "stdout\t''
stderr\t''"
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from log" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from log" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from log" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from log" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from log" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from log" -s f -l follow -d 'Go on until the job ends'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from log" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from log" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from log" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from watch" -l fail-on -d 'Exit with 1 if there is such a finding: error, warn, info (or worse), cve, new, new:warn and so on' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from watch" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from watch" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from watch" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from watch" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from watch" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from watch" -l batch -d 'All the jobs of its batch'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from watch" -s f -l follow -d 'Print the logs as they grow'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from watch" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from watch" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from watch" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from cancel" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from cancel" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from cancel" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from cancel" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from cancel" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from cancel" -l batch -d 'All the jobs of its batch'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from cancel" -l force -d 'At once, without time to clean up'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from cancel" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from cancel" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from cancel" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from retry" -l fail-on -d 'Exit with 1 if there is such a finding: error, warn, info (or worse), cve, new, new:warn and so on' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from retry" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from retry" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from retry" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from retry" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from retry" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from retry" -l detach -d 'Let a runner in the background take the job, and return at once'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from retry" -s f -l follow -d 'Print the log as it grows'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from retry" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from retry" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand job; and __fish_seen_subcommand_from retry" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -s p -l project -d 'Of this project' -r
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -l kind -d 'Of this kind' -r -f -a "cve\t''
test_fail\t''
lint\t''
recipe_fail\t''"
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -l severity -d 'At least so bad' -r -f -a "error\t''
warn\t''
info\t''"
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -l path -d 'In this folder, or in files that match a pattern, such as \'src/*.py\'' -r
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -l since -d 'Only what is new since then' -r
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -l group-by -d 'Put findings together, the worst group first' -r -f -a "file\t''
code\t''"
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -l limit -d 'Show at most so many; 0 shows all. Without it a table has 200, JSON all' -r
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -l fail-on -d 'Exit with 1 if there is such a finding: error, warn, info (or worse), cve, new, new:warn and so on' -r
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -l from -d 'Read a captured log instead, of any tool run anywhere; - is stdin' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -l language -d 'What the tool of the captured log works on' -r -f -a "rust\t''
python\t''
go\t''
javascript\t''
typescript\t''
java\t''
kotlin\t''
dotnet\t''
ruby\t''
php\t''
swift\t''
c\t''
shell\t''
other\t''"
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -l recipe -d 'The recipe that the captured log would be of' -r
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -l exit-code -d 'How the tool of the captured log exited' -r
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -l new -d 'Only those that are new'
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -l ignored -d 'Ignored ones too'
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -l details -d 'Show each finding in full, with its fingerprint and its suggested fix'
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -a "ignore" -d 'Ignore findings from now on, wherever their lines go'
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -a "ignored" -d 'List the ignored findings'
complete -c crafting -n "__fish_crafting_using_subcommand findings; and not __fish_seen_subcommand_from ignore ignored unignore" -a "unignore" -d 'Let ignored findings count again'
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from ignore" -l reason -d 'Why' -r
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from ignore" -l until -d 'Only until a day begins, such as 2027-01-31, or for a time, such as 30d' -r
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from ignore" -s p -l project -d 'Of this project, instead of this folder\'s' -r
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from ignore" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from ignore" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from ignore" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from ignore" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from ignore" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from ignore" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from ignore" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from ignore" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from ignored" -s p -l project -d 'Of this project, instead of this folder\'s' -r
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from ignored" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from ignored" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from ignored" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from ignored" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from ignored" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from ignored" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from ignored" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from ignored" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from unignore" -s p -l project -d 'Of this project, instead of this folder\'s' -r
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from unignore" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from unignore" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from unignore" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from unignore" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from unignore" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from unignore" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from unignore" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand findings; and __fish_seen_subcommand_from unignore" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand secret; and not __fish_seen_subcommand_from set list remove" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand secret; and not __fish_seen_subcommand_from set list remove" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand secret; and not __fish_seen_subcommand_from set list remove" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand secret; and not __fish_seen_subcommand_from set list remove" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand secret; and not __fish_seen_subcommand_from set list remove" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand secret; and not __fish_seen_subcommand_from set list remove" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand secret; and not __fish_seen_subcommand_from set list remove" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand secret; and not __fish_seen_subcommand_from set list remove" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand secret; and not __fish_seen_subcommand_from set list remove" -f -a "set" -d 'Set a secret; the value is asked for, or read from stdin or a file'
complete -c crafting -n "__fish_crafting_using_subcommand secret; and not __fish_seen_subcommand_from set list remove" -f -a "list" -d 'List a project\'s secrets: their names, never their values'
complete -c crafting -n "__fish_crafting_using_subcommand secret; and not __fish_seen_subcommand_from set list remove" -f -a "remove" -d 'Remove a secret'
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from set" -s p -l project -d 'Of this project; without it, the one of this folder' -r
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from set" -l from -d 'Read the value from this file; -: from stdin, even on a terminal' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from set" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from set" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from set" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from set" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from set" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from set" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from list" -s p -l project -d 'Of this project; without it, the one of this folder' -r
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from list" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from list" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from list" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from list" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from list" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from remove" -s p -l project -d 'Of this project; without it, the one of this folder' -r
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from remove" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from remove" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from remove" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from remove" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from remove" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from remove" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand secret; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand events" -s p -l project -d 'Of this project and its jobs, findings and secrets' -r
complete -c crafting -n "__fish_crafting_using_subcommand events" -l limit -d 'At most so many' -r
complete -c crafting -n "__fish_crafting_using_subcommand events" -l before -d 'Only events before the one with this number' -r
complete -c crafting -n "__fish_crafting_using_subcommand events" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand events" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand events" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand events" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand events" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand events" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand events" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand events" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand gc" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand gc" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand gc" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand gc" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand gc" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand gc" -l all -d 'Slots too that were used within the last day, and with them their warm builds'
complete -c crafting -n "__fish_crafting_using_subcommand gc" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand gc" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand gc" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand serve" -l bind -d 'Where to listen; else CRAFTING_BIND, else 127.0.0.1:8810' -r
complete -c crafting -n "__fish_crafting_using_subcommand serve" -s j -l workers -d 'Jobs that run at once; else half the cores' -r
complete -c crafting -n "__fish_crafting_using_subcommand serve" -l drain -d 'When asked to end, give running jobs so long; else CRAFTING_DRAIN_SECS, else 30' -r
complete -c crafting -n "__fish_crafting_using_subcommand serve" -l log-format -d 'Form of the log on stderr; auto: text on a terminal, else JSON, an object per line' -r -f -a "auto\t'Text on a terminal, JSON elsewhere'
text\t'For people'
json\t'For programs'"
complete -c crafting -n "__fish_crafting_using_subcommand serve" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand serve" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand serve" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand serve" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand serve" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand serve" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand serve" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand serve" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand token; and not __fish_seen_subcommand_from mint list revoke" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand token; and not __fish_seen_subcommand_from mint list revoke" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand token; and not __fish_seen_subcommand_from mint list revoke" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand token; and not __fish_seen_subcommand_from mint list revoke" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand token; and not __fish_seen_subcommand_from mint list revoke" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand token; and not __fish_seen_subcommand_from mint list revoke" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand token; and not __fish_seen_subcommand_from mint list revoke" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand token; and not __fish_seen_subcommand_from mint list revoke" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand token; and not __fish_seen_subcommand_from mint list revoke" -f -a "mint" -d 'Mint a token and print its bearer, which nobody can ask for again'
complete -c crafting -n "__fish_crafting_using_subcommand token; and not __fish_seen_subcommand_from mint list revoke" -f -a "list" -d 'List tokens, without their bearers'
complete -c crafting -n "__fish_crafting_using_subcommand token; and not __fish_seen_subcommand_from mint list revoke" -f -a "revoke" -d 'Revoke a token, at once; what it owns stays for the next token of its name'
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from mint" -l scope -d 'What it may do: look, or change things too' -r -f -a "read\t''
write\t''"
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from mint" -l cidr -d 'Usable only from these addresses, such as 10.0.0.0/8; may be repeated' -r
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from mint" -l expires -d 'Ends when a day begins, such as 2027-01-31, or after a time, such as 30d; else never' -r
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from mint" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from mint" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from mint" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from mint" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from mint" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from mint" -l admin -d 'Let it see everything and mint others'
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from mint" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from mint" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from mint" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from list" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from list" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from list" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from list" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from list" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from revoke" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from revoke" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from revoke" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from revoke" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from revoke" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from revoke" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from revoke" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand token; and __fish_seen_subcommand_from revoke" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and not __fish_seen_subcommand_from check backup" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and not __fish_seen_subcommand_from check backup" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and not __fish_seen_subcommand_from check backup" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and not __fish_seen_subcommand_from check backup" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and not __fish_seen_subcommand_from check backup" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and not __fish_seen_subcommand_from check backup" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and not __fish_seen_subcommand_from check backup" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and not __fish_seen_subcommand_from check backup" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and not __fish_seen_subcommand_from check backup" -f -a "check" -d 'Check that the ledger is sound; exit status 3 if it is not'
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and not __fish_seen_subcommand_from check backup" -f -a "backup" -d 'Copy the ledger to a file while it is in use'
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and __fish_seen_subcommand_from check" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and __fish_seen_subcommand_from check" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and __fish_seen_subcommand_from check" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and __fish_seen_subcommand_from check" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and __fish_seen_subcommand_from check" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and __fish_seen_subcommand_from backup" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and __fish_seen_subcommand_from backup" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and __fish_seen_subcommand_from backup" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and __fish_seen_subcommand_from backup" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and __fish_seen_subcommand_from backup" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and __fish_seen_subcommand_from backup" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and __fish_seen_subcommand_from backup" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand ledger; and __fish_seen_subcommand_from backup" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand config; and not __fish_seen_subcommand_from show" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand config; and not __fish_seen_subcommand_from show" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand config; and not __fish_seen_subcommand_from show" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand config; and not __fish_seen_subcommand_from show" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand config; and not __fish_seen_subcommand_from show" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand config; and not __fish_seen_subcommand_from show" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand config; and not __fish_seen_subcommand_from show" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand config; and not __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand config; and not __fish_seen_subcommand_from show" -f -a "show" -d 'Print every effective value and where it came from'
complete -c crafting -n "__fish_crafting_using_subcommand config; and __fish_seen_subcommand_from show" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand config; and __fish_seen_subcommand_from show" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand config; and __fish_seen_subcommand_from show" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand config; and __fish_seen_subcommand_from show" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand config; and __fish_seen_subcommand_from show" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand config; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand config; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand config; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand completions" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand completions" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand completions" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand completions" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand completions" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand completions" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand completions" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand completions" -s h -l help -d 'Print help'
complete -c crafting -n "__fish_crafting_using_subcommand man" -s C -d 'Run as if started in this folder' -r -F
complete -c crafting -n "__fish_crafting_using_subcommand man" -l server -d 'Ask the farm that answers there instead of this machine\'s; else CRAFTING_URL' -r
complete -c crafting -n "__fish_crafting_using_subcommand man" -l token -d 'Show this bearer to the server, or @FILE that holds it; else CRAFTING_TOKEN' -r
complete -c crafting -n "__fish_crafting_using_subcommand man" -l format -d 'Form of the answer on stdout; auto: a table, drawn with lines on a terminal' -r -f -a "auto\t''
table\t''
json\t''
jsonl\t''
sarif\t''
junit\t''
rdjsonl\t''
github\t''
gitlab\t''
checkstyle\t''
markdown\t''"
complete -c crafting -n "__fish_crafting_using_subcommand man" -l color -d 'When to use colours; auto: on a terminal, subject to NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c crafting -n "__fish_crafting_using_subcommand man" -s q -l quiet -d 'Say nothing on stderr but warnings and errors'
complete -c crafting -n "__fish_crafting_using_subcommand man" -s v -l verbose -d 'Tell on stderr what happens inside; twice for every detail'
complete -c crafting -n "__fish_crafting_using_subcommand man" -s h -l help -d 'Print help'
