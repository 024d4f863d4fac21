// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// Servers that leak by what somebody else wrote: server.js KIND PORT. Each request leaves something behind.
//   session  express-session's MemoryStore: of who does not come back the session stays (its documentation warns of it)
//   cache    node-cache without stdTTL: what is set stays
//   labels   prom-client: a label with ever new values, a time series each
//   memoize  lodash's memoize: a cache without a bound
'use strict';
const express = require('express');
const [kind, port] = process.argv.slice(2);
const app = express();

if (kind === 'session') {
	const session = require('express-session');
	app.use(session({ secret: 'not one', resave: false, saveUninitialized: true }));
	app.use((req, res, next) => {
		req.session.basket = new Array(300).fill(req.path);
		next();
	});
}
const { Histogram } = kind === 'labels' ? require('prom-client') : {};
const seconds = Histogram && new Histogram({ name: 'seconds', help: 'of a request', labelNames: ['path'] });
const NodeCache = kind === 'cache' ? require('node-cache') : null;
const cache = NodeCache && new NodeCache();
const render = require('lodash').memoize((path) => new Array(2000).fill(path));

app.get('/item/:id', (req, res) => {
	if (seconds)
		seconds.observe({ path: req.path }, Math.random());
	if (cache)
		cache.set(req.path, { body: new Array(1000).fill(req.path), seen: Date.now() });
	res.send(kind === 'memoize' ? `${render(req.path).length}` : 'done');
});
app.listen(+port, '127.0.0.1');
