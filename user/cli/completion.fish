# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# fish completion of memweir; every word comes from the program itself.

function __memweir_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    set -l value (string replace -r '^--[^=]*=' '' -- "$last")
    set -l before (string match -r '^--[^=]*=' -- "$last")
    for line in (memweir complete -- $words[2..-1] "$last" 2>/dev/null)
        switch $line
            case :files
                for path in (__fish_complete_path "$value")
                    echo -- "$before$path"
                end
            case :commands
                complete -C "$last"
            case :units
                for unit in (systemctl list-units --plain --no-legend --type=service,scope 2>/dev/null | string replace -r ' .*' '')
                    echo -- "$before$unit"
                end
            case :containers
                for name in (timeout 1 podman ps --format '{{.Names}}' 2>/dev/null; timeout 1 docker ps --format '{{.Names}}' 2>/dev/null)
                    echo -- "$before$name"
                end
            case '*'
                echo -- $line
        end
    end
end

complete -c memweir -f -a '(__memweir_complete)'
