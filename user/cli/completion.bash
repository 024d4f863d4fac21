# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# bash completion of memweir; every word comes from the program itself.

# What stands before the cursor, with what bash has split at = and : put together again.
_memweir_words()
{
	local i w glue=''
	words=()
	for ((i = 1; i <= COMP_CWORD; i++)); do
		w=${COMP_WORDS[i]}
		if [[ ${#words[@]} -gt 0 && ($w == [=:] || $glue) ]]; then
			words[-1]+=$w
		else
			words+=("$w")
		fi
		[[ $w == [=:] ]] && glue=1 || glue=''
	done
}

_memweir_shell() # WHAT: words the shell knows best
{
	case $1 in
	:files) compgen -f -- "$2" ;;
	:commands) compgen -c -- "$2" ;;
	:units) compgen -W "$(systemctl list-units --plain --no-legend --type=service,scope 2>/dev/null | cut -d ' ' -f 1)" -- "$2" ;;
	:containers) compgen -W "$(
		timeout 1 podman ps --format '{{.Names}}' 2>/dev/null
		timeout 1 docker ps --format '{{.Names}}' 2>/dev/null
	)" -- "$2" ;;
	esac
}

_memweir()
{
	local words last cut word
	_memweir_words
	last=${words[-1]}
	cut=${last%"${last##*[=:]}"} # bash wants only what stands behind the last = or :
	COMPREPLY=()
	while IFS=$'\t' read -r word _; do
		case $word in
		:*)
			[[ $word != :files ]] || compopt -o filenames
			mapfile -t COMPREPLY < <(_memweir_shell "$word" "${last#"$cut"}" 2>/dev/null)
			;;
		"$last"*) COMPREPLY+=("${word#"$cut"}") ;;
		esac
	done < <(memweir complete -- "${words[@]}" 2>/dev/null)
	[[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace
}
complete -F _memweir memweir
