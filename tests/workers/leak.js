// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// Guilty, on Node: one function keeps, another one churns. leak.js [objects a step] [ms between steps]
'use strict';

const kept = [];

function churn() {
	return Array.from({ length: 200 }, (_, i) => 'nothing ' + i).length;
}

function rememberForever(n) {
	for (let i = 0; i < n; i++)
		kept.push({ number: i, text: 'kept ' + i, pair: [i, i] });
}

setInterval(() => {
	rememberForever(Number(process.argv[2] || 600));
	churn();
}, Number(process.argv[3] || 50));
