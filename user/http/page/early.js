// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// Before anything is painted: the colours the reader chose last ("auto": as the system has them), and the longest question.
"use strict";
(() => {
	const KEY = "memweir-theme";
	const choices = ["auto", "light", "dark"];

	function chosen() {
		try {
			return choices.includes(localStorage.getItem(KEY)) ? localStorage.getItem(KEY) : "auto";
		} catch {
			return "auto"; // storage is forbidden here
		}
	}

	function apply(theme) {
		document.documentElement.dataset.theme = theme;
	}

	window.memweirTheme = {
		chosen,
		next() {
			const theme = choices[(choices.indexOf(document.documentElement.dataset.theme) + 1) % choices.length];
			apply(theme);
			try {
				localStorage.setItem(KEY, theme);
			} catch {
				// it lasts until the page is closed
			}
			return theme;
		},
	};
	apply(chosen());
	// Under way while the modules come; main.js takes it. One that fails is asked again there.
	window.memweirWorkers = fetch("/v1/workers?brief", { cache: "no-store" }).then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
})();
