#compdef memweir
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# zsh completion of memweir; every word comes from the program itself.

_memweir()
{
	local line word hint
	local -a plain plain_shown open open_shown
	for line in "${(@f)$(memweir complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
		word=${line%%$'\t'*} hint=''
		[[ $line != *$'\t'* ]] || hint=${line#*$'\t'}
		case $word in
		'') ;;
		:files) compset -P '*='; _files; return ;;
		:commands) _command_names -e; return ;;
		:units) compset -P '*='; compadd -- $(systemctl list-units --plain --no-legend --type=service,scope 2>/dev/null | cut -d ' ' -f 1); return ;;
		:containers)
			compset -P '*='
			compadd -- $(timeout 1 podman ps --format '{{.Names}}' 2>/dev/null; timeout 1 docker ps --format '{{.Names}}' 2>/dev/null)
			return
			;;
		*=) open+=("$word") open_shown+=("$word${hint:+  -- $hint}") ;;
		*) plain+=("$word") plain_shown+=("$word${hint:+  -- $hint}") ;;
		esac
	done
	compadd -l -d plain_shown -a plain
	compadd -S '' -l -d open_shown -a open
}

_memweir "$@"
