# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# bash completion of memweir; the words come from the program's own tables.

_memweir_has_value() # OPTION VERB: does it want a value?
{
	memweir help --words ${2:+"$2"} 2>/dev/null | grep -qxF -e "$1="
}

_memweir_verb() # the verb among the words before the cursor, which is COMP_CWORD
{
	local i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--socket) ((i++)) ;;
		-*) ;;
		*)
			verb=${COMP_WORDS[i]} verb_at=$i
			return
			;;
		esac
	done
}

_memweir_command_at() # where run's command begins, 0: not yet
{
	local i
	command_at=0
	for ((i = verb_at + 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--) command_at=$((i + 1)) && return ;;
		=) ((i++)) ;; # bash splits --heap-sample=BYTES there
		-c | -n | -s | --class | --name | --set | --socket) [[ ${COMP_WORDS[i + 1]} == = ]] || ((i++)) ;;
		-*) ;;
		*) command_at=$i && return ;;
		esac
	done
}

_memweir_set_target() # what can stand where the cursor is, after set
{
	case $prev in
	set) words="worker class rule monitor tree" ;;
	worker) words=$(memweir ps --quiet 2>/dev/null) ;;
	class) words=$(memweir classes 2>/dev/null | sed -n '1s/^KEY//p') ;;
	rule) words=$(memweir report rules 2>/dev/null | sed -n '1d; /^$/q; s/ .*//p') ;;
	esac
}

_memweir()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb='' verb_at=0 command_at words=''
	_memweir_verb
	COMPREPLY=()
	if [[ $verb == run ]]; then
		_memweir_command_at
		if ((command_at && COMP_CWORD > command_at)); then
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return
		elif ((command_at == COMP_CWORD)) || [[ $cur != -* && $prev != -* ]]; then
			mapfile -t COMPREPLY < <(compgen -c -- "$cur")
			return
		fi
	fi
	case $prev in
	--method) words="windows regression" ;;
	-b | --by) words="class worker file" ;;
	-c | --class) [[ $verb != daemon ]] && words=$(memweir classes 2>/dev/null | sed -n '1s/^KEY//p') ;;
	-w | --worker) [[ $verb == plan ]] && words=$(memweir ps --quiet 2>/dev/null) ;;
	-u | --unit) [[ $verb == attach ]] && words=$(systemctl list-units --plain --no-legend --type=service,scope 2>/dev/null | cut -d ' ' -f 1) ;;
	=) [[ ${COMP_WORDS[COMP_CWORD - 2]} == --pprof ]] && mapfile -t COMPREPLY < <(compgen -f -- "$cur") && return ;;
	-o | --out | --config | --socket | --state-dir | --run-dir) mapfile -t COMPREPLY < <(compgen -f -- "$cur") && return ;;
	esac
	if [[ -z $words && $prev == --* ]] && _memweir_has_value "$prev" "$verb"; then
		return
	elif [[ -z $words && ($cur == -* || -z $verb) ]]; then
		words=$(memweir help --words ${verb:+"$verb"} 2>/dev/null)
	elif [[ -z $words ]]; then
		case $verb in
		ps | check | record | detach | hibernate | freeze | thaw | kill) words=$(memweir ps --quiet 2>/dev/null) ;;
		report)
			words=$(memweir ps --quiet 2>/dev/null)
			[[ $prev == pauses ]] || words="leaks pauses incidents rules $words"
			;;
		replay | calibrate | spec) mapfile -t COMPREPLY < <(compgen -f -- "$cur") && return ;;
		set) _memweir_set_target ;;
		help) words=$(memweir help --words 2>/dev/null | grep -v ^-) ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	[[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -F _memweir memweir
