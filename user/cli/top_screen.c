/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The only file that knows ncurses. Signals are blocked by who uses it: ncurses' own handlers never run. */
#define NCURSES_WIDECHAR 1
#include "cli/top_screen.h"

#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/table.h"

/* Last: term.h makes macros of common words. */
#include <ncurses.h>
#include <term.h>

#define ESCAPE_MS 50 /* after it, Esc is a key and not the beginning of one */

static SCREEN *screen;
static bool colours;

static const struct {
	short colour; /* -1: the terminal's own */
	attr_t with, without; /* colours */
} looks[MW_LOOK_MAX] = {
	[MW_LOOK_PLAIN] = {-1, A_NORMAL, A_NORMAL},
	[MW_LOOK_DIM] = {-1, A_DIM, A_NORMAL},
	[MW_LOOK_TITLE] = {-1, A_BOLD, A_BOLD},
	[MW_LOOK_HEAD] = {COLOR_CYAN, A_BOLD, A_UNDERLINE},
	[MW_LOOK_GOOD] = {COLOR_GREEN, A_NORMAL, A_NORMAL},
	[MW_LOOK_WARN] = {COLOR_YELLOW, A_NORMAL, A_BOLD},
	[MW_LOOK_BAD] = {COLOR_RED, A_BOLD, A_BOLD},
	[MW_LOOK_CHOSEN] = {-1, A_REVERSE, A_REVERSE},
	[MW_LOOK_ASK] = {-1, A_REVERSE | A_BOLD, A_REVERSE | A_BOLD},
};

/* The environment may ask for a locale that is not installed here: its characters are what counts. */
static void choose_locale(void)
{
	if ((!setlocale(LC_CTYPE, "") || strcmp(nl_langinfo(CODESET), "UTF-8") != 0) && mw_locale_utf8())
		setlocale(LC_CTYPE, "C.UTF-8");
}

void mw_screen_can(bool *ret_utf8, bool *ret_blocks)
{
	const char *term = getenv("TERM");

	*ret_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	/* The console's fonts have some of the eight heights only. */
	*ret_blocks = *ret_utf8 && term && strcmp(term, "linux") != 0 && strncmp(term, "vt", 2) != 0;
}

static void begin_colours(void)
{
	const char *no = getenv("NO_COLOR");

	colours = !(no && *no) && has_colors() && start_color() == OK && use_default_colors() == OK;
	for (short i = 0; colours && i < MW_LOOK_MAX; i++)
		init_pair((short)(i + 1), looks[i].colour, -1);
}

static void take_terminal(void)
{
	cbreak();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	leaveok(stdscr, TRUE);
}

int mw_screen_open(struct mw_error *err)
{
	const char *term = getenv("TERM"), *cup;
	bool moves;
	int found;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return mw_fail(err, -ENOTTY, "standard %s is no terminal: memweir top --once prints one table",
			       isatty(STDOUT_FILENO) ? "input" : "output");
	choose_locale();
	if (!term || !*term || setupterm(term, STDOUT_FILENO, &found) != OK)
		return mw_fail(err, -ENODEV,
			       "nothing is known of the terminal TERM=%s: memweir top --once prints one table",
			       term ? term : "");
	cup = tigetstr("cup");
	moves = cup && (intptr_t)cup != -1;
	del_curterm(cur_term); /* newterm has one of its own */
	if (!moves)
		return mw_fail(err, -ENODEV, "TERM=%s cannot move its cursor: memweir top --once prints one table",
			       term);
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return mw_fail(err, -ENODEV, "the terminal TERM=%s cannot be used: memweir top --once prints one table",
			       term);
	begin_colours();
	take_terminal();
	return 0;
}

void mw_screen_close(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
}

void mw_screen_size(int *ret_width, int *ret_height)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row &&
	    (size.ws_col != COLS || size.ws_row != LINES))
		resizeterm(size.ws_row, size.ws_col);
	*ret_width = COLS;
	*ret_height = LINES;
}

void mw_screen_show(const struct mw_canvas *c, bool again)
{
	werase(stdscr);
	for (size_t i = 0; i < c->n; i++) {
		const struct mw_piece *p = &c->pieces[i];
		attr_t look = colours ? looks[p->look].with | (attr_t)COLOR_PAIR(p->look + 1) : looks[p->look].without;

		attrset((int)look);
		mvaddstr(p->row, p->col, p->text);
	}
	attrset(A_NORMAL);
	if (again)
		clearok(stdscr, TRUE);
	wnoutrefresh(stdscr);
	doupdate();
}

static const struct {
	wint_t theirs;
	unsigned ours;
} special[] = {
	{KEY_UP, MW_KEY_UP},	     {KEY_DOWN, MW_KEY_DOWN},
	{KEY_PPAGE, MW_KEY_PAGE_UP}, {KEY_NPAGE, MW_KEY_PAGE_DOWN},
	{KEY_HOME, MW_KEY_HOME},     {KEY_END, MW_KEY_END},
	{KEY_LEFT, MW_KEY_LEFT},     {KEY_RIGHT, MW_KEY_RIGHT},
	{KEY_ENTER, MW_KEY_ENTER},   {KEY_BACKSPACE, MW_KEY_BACKSPACE},
};

unsigned mw_screen_key(void)
{
	wint_t key;
	int r = get_wch(&key);

	if (r == KEY_CODE_YES) {
		for (size_t i = 0; i < ARRAY_SIZE(special); i++)
			if (special[i].theirs == key)
				return special[i].ours;
		return r == KEY_CODE_YES && key == KEY_RESIZE ? 0 : ~0U;
	}
	if (r != OK)
		return 0;
	switch (key) {
	case '\r':
	case '\n':
		return MW_KEY_ENTER;
	case 0x1b:
		return MW_KEY_ESCAPE;
	case '\b':
	case 0x7f:
		return MW_KEY_BACKSPACE;
	default:
		return key ? (unsigned)key : ~0U;
	}
}

void mw_screen_stop(void)
{
	endwin();
	raise(SIGSTOP);
	clearok(stdscr, TRUE);
	doupdate();
}
