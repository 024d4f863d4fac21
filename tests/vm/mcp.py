# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""Real MCP servers from npm and a client for them: JSON-RPC on standard streams, one message a line.

    server = mcp.Mcp(docker.talk("srv", *mcp.command("memory"), host=True).client)
    server.initialize()["name"]; server.tool("read_graph")"""
import json
import os
import select
import shutil
import time

from harness import BUILD, Failed, check

SERVERS = BUILD + "/npm/node_modules/@modelcontextprotocol"


def command(name):
    """Of server-NAME, as it is typed."""
    node, script = shutil.which("node"), "%s/server-%s/dist/index.js" % (SERVERS, name)
    check(node and os.path.exists(script), "node and MCP servers are here (scripts/deps demo)", node, script)
    return [os.path.realpath(node), script]


class Mcp:
    """The client of a server that stands behind the pipes of a process. Node takes seconds where every instruction is emulated."""

    def __init__(self, process):
        self.process, self.id, self.rest = process, 0, b""

    def send(self, **message):
        self.process.stdin.write((json.dumps(dict(message, jsonrpc="2.0")) + "\n").encode())
        self.process.stdin.flush()

    def line(self, end):
        while b"\n" not in self.rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return None
            part = os.read(self.process.stdout.fileno(), 65536)
            if not part:
                raise Failed("the MCP server has ended, its client with status %r" % self.process.poll())
            self.rest += part
        line, _, self.rest = self.rest.partition(b"\n")
        return line

    def call(self, method, seconds=120, **params):
        """What it answers; notifications and requests of its own are passed over."""
        self.id += 1
        self.send(id=self.id, method=method, params=params)
        end = time.monotonic() + seconds
        while True:
            line = self.line(end)
            check(line is not None, "the MCP server answers %s within %d s" % (method, seconds))
            answer = json.loads(line)
            if answer.get("id") == self.id and "method" not in answer:
                check("result" in answer, method, answer)
                return answer["result"]

    def initialize(self):
        r = self.call("initialize", protocolVersion="2025-03-26", capabilities={}, clientInfo={"name": "test", "version": "1"})
        self.send(method="notifications/initialized")
        return r["serverInfo"]

    def tool(self, name, **arguments):
        """The text that a tool answers."""
        r = self.call("tools/call", name=name, arguments=arguments)
        check(not r.get("isError"), "tool " + name, r)
        return r["content"][0]["text"]


class Everything:
    """Many tools, and no memory of its own."""
    server, env = "everything", {}

    def fill(self, client):
        tools = [t["name"] for t in client.call("tools/list")["tools"]]
        check("echo" in tools, "its tools", tools)

    def use(self, client):
        said = client.tool("echo", message="hello")
        check("hello" in said, "echo", said)


class Memory:
    """A graph, which must outlive whatever is done to the server."""
    server, env = "memory", {"MEMORY_FILE_PATH": "/tmp/graph.json"}

    def fill(self, client):
        client.tool("create_entities", entities=[{"name": "weir%d" % i, "entityType": "dam", "observations": ["holds a level"]} for i in range(20)])

    def use(self, client):
        graph = json.loads(client.tool("read_graph"))
        check(len(graph["entities"]) == 20, "its graph", graph)
