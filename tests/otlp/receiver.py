# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""A collector that takes OTLP/HTTP JSON and answers as it is told. What it took is kept; decode.mjs judges it."""
import gzip
import http.server
import json
import socket
import threading
import time

PATHS = {"/v1/traces": "traces", "/v1/metrics": "metrics", "/v1/logs": "logs"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        r = self.server.receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        signal = PATHS.get(self.path)
        with r.lock:
            mode = r.mode  # one for all of this request, whatever is told meanwhile
            r.attempts.append((time.monotonic(), signal, mode))
        problems = r.judge_head(self.headers, signal)
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if mode in ("ok", "partial", "slow"):
            r.take(signal, body, problems, dict(self.headers))
        getattr(self, "answer_" + mode)(signal)

    def send(self, status, body=b"{}", **headers):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def answer_ok(self, signal):
        self.send(200)

    def answer_slow(self, signal):
        self.server.receiver.stopping.wait(0.3)
        self.send(200)

    def answer_partial(self, signal):
        name = {"traces": "rejectedSpans", "metrics": "rejectedDataPoints", "logs": "rejectedLogRecords"}[signal]
        self.send(200, json.dumps({"partialSuccess": {name: "1", "errorMessage": "one is one too many"}}).encode())

    def answer_400(self, signal):
        self.send(400, b'{"code":3,"message":"not to my taste"}')

    def answer_500(self, signal):
        self.send(500)

    def answer_503(self, signal):
        self.send(503)

    def answer_429(self, signal):
        self.send(429, Retry_After="2")

    def answer_hang(self, signal):
        self.server.receiver.stopping.wait()
        self.close_connection = True

    def answer_close(self, signal):
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def answer_garbage(self, signal):
        self.wfile.write(b"\x00\xff\x16\x03 this is no HTTP\r\n" * 50)
        self.close_connection = True

    def answer_endless(self, signal):
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(1024):
                self.wfile.write(b"x" * 4096)
        except OSError:
            pass
        self.close_connection = True

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Who hangs up in the middle is what some tests are about."""


class Receiver:
    def __init__(self, tls=None):
        """tls: an ssl.SSLContext; None: plain HTTP."""
        self.lock = threading.Lock()
        self.mode = "ok"
        self.requests, self.attempts, self.problems = [], [], []  # taken ones; all, with when and the mode then
        self.stopping = threading.Event()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.receiver = self
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = "%s://127.0.0.1:%d" % ("https" if tls else "http", self.server.server_port)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def judge_head(headers, signal):
        out = [] if signal else ["an unknown path"]
        if headers.get("Content-Type") != "application/json":
            out.append("Content-Type: %r" % headers.get("Content-Type"))
        return out

    def take(self, signal, body, problems, headers):
        try:
            document = json.loads(body)
        except ValueError as e:
            problems, document = problems + ["no JSON: %s" % e], {}
        with self.lock:
            self.requests.append({"signal": signal, "body": document, "headers": headers})
            self.problems += problems

    def tell(self, mode):
        """How it answers from now on. Who hangs is let go."""
        self.mode = mode
        if mode != "hang":
            self.stopping.set()
            self.stopping = threading.Event()

    def records(self, signal):
        """Spans, log records or metrics with their resource's attributes, in the order they came."""
        names = {"traces": ("resourceSpans", "scopeSpans", "spans"), "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
                 "logs": ("resourceLogs", "scopeLogs", "logRecords")}[signal]
        with self.lock:
            bodies = [r["body"] for r in self.requests if r["signal"] == signal]
        return [x for b in bodies for r in b[names[0]] for s in r[names[1]] for x in s[names[2]]]

    def close(self):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()


def plain(attributes):
    """Attributes as a dictionary."""
    out = {}
    for a in attributes:
        (kind, value), = a["value"].items()
        out[a["key"]] = int(value) if kind == "intValue" else value
    return out
