# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""What the programs of leak_cases.py are asked to do while they are watched. A load is a function of (process, stop): it
works at its pace until stop is set or the program is gone."""
import http.client
import json
import os
import socket
import time

TICK_S = 0.1


def paced(rate, stop, step):
    """step(n) for the n-th time, rate times a second, in small groups."""
    n, began = 0, time.monotonic()
    while not stop.wait(TICK_S):
        due = (time.monotonic() - began) * rate
        while n < due and not stop.is_set():
            step(n)
            n += 1


def connect(path, stop):
    while not stop.is_set():
        s = socket.socket(socket.AF_UNIX)
        try:
            s.connect(path)
            s.settimeout(10)
            return s
        except OSError:
            s.close()
            stop.wait(0.2)
    raise OSError("ended before %s was there" % path)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def redis_new_keys(path, rate, size):
    def load(process, stop):
        with connect(path, stop) as s:
            def step(n):
                s.sendall(b"SET key:%d %s\r\n" % (n, b"x" * size))
                s.recv(4096)
            paced(rate, stop, step)
    return load


def memcached_new_keys(path, rate, size):
    def load(process, stop):
        with connect(path, stop) as s:
            def step(n):
                s.sendall(b"set key%d 0 0 %d\r\n%s\r\n" % (n, size, b"x" * size))
                s.recv(4096)
            paced(rate, stop, step)
    return load


def http_requests(port, rate, method, path, body=None, headers={}):
    """A client of its own each time: no cookie, no session comes back. path: of the n-th."""
    def load(process, stop):
        def step(n):
            c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                c.request(method, path(n), body, headers)
                c.getresponse().read()
            except OSError:
                stop.wait(0.5)
            finally:
                c.close()
        paced(rate, stop, step)
    return load


def http_get(port, rate):
    return http_requests(port, rate, "GET", lambda n: "/item/%d" % n)


INITIALIZE = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "load", "version": "1"}}}


def mcp_sessions(port, rate):
    return http_requests(port, rate, "POST", lambda n: "/mcp", json.dumps(INITIALIZE), {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"})


def mcp_stdio(call, rate):
    def load(process, stop):
        def ask(document):
            process.stdin.write(json.dumps(document) + "\n")
            process.stdin.flush()
            while document.get("id") is not None:
                line = process.stdout.readline()
                if not line or '"id":%d' % document["id"] in line:
                    return
        ask(INITIALIZE)
        ask({"jsonrpc": "2.0", "method": "notifications/initialized"})
        paced(rate, stop, lambda n: ask({"jsonrpc": "2.0", "id": n + 1, "method": "tools/call", "params": call}))
    return load


def plain(n, size):
    return "%d %s\n" % (n, "x" * size)


def json_line(n, size):
    return '{"n":%d,"text":"%s"}\n' % (n, "x" * size)


def insert(n, size):
    return ("create table t(n integer, body text);\n" if n == 0 else "") + "insert into t values (%d, '%s');\n" % (n, "x" * size)


def feed(line, rate, size):
    def load(process, stop):
        def step(n):
            process.stdin.write(line(n, size))
            process.stdin.flush()
        paced(rate, stop, step)
    return load


def nginx_configuration(place, port):
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place + ".conf", "w") as f:
        f.write("daemon off; master_process on; worker_processes 2; pid %(place)s.pid; error_log /dev/null; events { worker_connections 128; }\n"
                "http { access_log off; client_body_temp_path %(place)s.body; proxy_temp_path %(place)s.proxy; fastcgi_temp_path %(place)s.fastcgi;\n"
                "uwsgi_temp_path %(place)s.uwsgi; scgi_temp_path %(place)s.scgi; server { listen 127.0.0.1:%(port)d; location / { return 200 'hello'; } } }\n" % {"place": place, "port": port})
    return place + ".conf"
