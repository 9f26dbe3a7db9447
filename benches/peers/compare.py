#!/usr/bin/env python3
"""Compares the CPU time per GraphQL request of HelpBot and of a Node.js server over the same rows.

    npm ci --prefix benches/peers
    HELPBOT_BINARY=target/release/helpbot benches/peers/compare.py [--conversations 3200] [--rounds 3]
        [--also OTHER_BINARY] [--bare target/release/bare]

Starts HelpBot on a fresh data directory, asks it questions until it has the given number of
conversations, starts mercurius over the same database file, and sends each query of QUERIES to both
in turns. Prints the median CPU time of each process per request, in milliseconds, and the ratio.
CPU time holds on a busy machine; requests per second do not. Everything listens on loopback and the
number of requests is fixed. `--also` measures a second HelpBot binary in the same turns, and `--bare` a bare axum
handler (`cargo build --release -p helpbot-benches --bin bare`) over the same rows.
"""
import argparse, http.client, json, os, pathlib, re, shutil, socket, statistics, subprocess, tempfile, threading, time

HERE = pathlib.Path(__file__).resolve().parent
QUESTIONERS = 16
QUERIES = {
    "50 x 5 scalar fields": "conversations(first: 50) { nodes { id question answer isUnanswered createdAt } }",
    "25 x (5 fields, citations with source, 2 messages)": "conversations(first: 25) { nodes { id question answer isUnanswered createdAt"
    " citations { url title quote source { id title status } } messages(first: 2) { nodes { id author text createdAt } } } }",
    "100 x id": "conversations(first: 100) { nodes { id } }",
    "1 x id": "conversations(first: 1) { nodes { id } }",
}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port):
    for _ in range(400):
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


class HelpBot:
    """A HelpBot process over a data directory, with the keys of one site."""

    def __init__(self, binary, data):
        self.port = free_port()
        env = {**os.environ, "HELPBOT_RATE_LIMITS": "off"}
        log = open(os.path.join(data, "server.log"), "ab")
        self.process = subprocess.Popen([binary, "serve", "--listen", f"127.0.0.1:{self.port}", "--data", data], stdout=log, stderr=log, env=env)
        wait_for(self.port)
        self.cli = lambda *words: json.loads(subprocess.run([binary, *words, "--data", data, "--json"], env=env, capture_output=True, text=True, check=True).stdout)

    def key(self, site, kind):
        return re.search(r"(wk|sk)_live_\w+", json.dumps(self.cli("key", "create", "--site", site, "--kind", kind)))[0]

    def first_site(self):
        """The site that the server creates when it starts on an empty directory."""
        for _ in range(400):
            sites = self.cli("site", "list")["sites"]
            if sites:
                return sites[0]["id"]
            time.sleep(0.05)
        raise SystemExit("the first site was not created")

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def ask(helpbot, key, worker, count):
    """Asks `count` questions over REST, three to a session."""
    connection = http.client.HTTPConnection("127.0.0.1", helpbot.port)
    headers = {"Authorization": "Bearer " + key, "Content-Type": "application/json"}
    for i in range(count):
        question = f"How do I add the widget to my site number {worker} {i}?"
        connection.request("POST", "/api/v1/chat", json.dumps({"question": question, "sessionId": f"s{worker}-{i // 3}"}), headers)
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise SystemExit(f"a question failed with {response.status}: {body[:200]}")


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(pid, port, query, key, count):
    """CPU milliseconds of process `pid` per request, and the size of one answer in bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"content-type": "application/json", **({"authorization": "Bearer " + key} if key else {})}
    body = json.dumps({"query": query})

    def run(times):
        for _ in range(times):
            connection.request("POST", "/graphql", body, headers)
            answer = connection.getresponse().read()
            if b'"errors"' in answer[:16] or b'"data"' not in answer[:16]:
                raise SystemExit(f"a query failed: {answer[:300]}")
        return len(answer)

    size = run(100)
    before = cpu_seconds(pid)
    run(count)
    return (cpu_seconds(pid) - before) / count * 1000, size


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--conversations", type=int, default=3200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=1500)
    parser.add_argument("--bare", help="the binary of the bare handler")
    parser.add_argument("--also", help="a second HelpBot binary, for example the previous build")
    options = parser.parse_args()
    binaries = {"HelpBot": os.path.abspath(os.environ.get("HELPBOT_BINARY", "target/release/helpbot"))}
    if options.also:
        binaries["HelpBot (also)"] = os.path.abspath(options.also)
    root = tempfile.mkdtemp(prefix="helpbot-peers-")
    running, node, bare = {}, None, None
    try:
        for name, binary in binaries.items():
            data = os.path.join(root, re.sub(r"\W", "", name))
            os.mkdir(data)
            helpbot = running[name] = HelpBot(binary, data)
            site = helpbot.first_site()
            helpbot.secret = helpbot.key(site, "secret")
            widget = helpbot.key(site, "widget")
            each = options.conversations // QUESTIONERS
            workers = [threading.Thread(target=ask, args=(helpbot, widget, n, each)) for n in range(QUESTIONERS)]
            [worker.start() for worker in workers]
            [worker.join() for worker in workers]
            if node is None:
                port = free_port()
                node = subprocess.Popen(["node", "mercurius.mjs", site, os.path.join(data, "helpbot.db"), str(port)], cwd=HERE)
                wait_for(port)
                if options.bare:
                    bare_port = free_port()
                    bare = subprocess.Popen([options.bare, os.path.join(data, "helpbot.db"), site, str(bare_port)])
                    wait_for(bare_port)
        for title, query in QUERIES.items():
            figures = {name: [] for name in [*running, "mercurius", *(["bare axum"] if bare else [])]}
            sizes = {}
            for _ in range(options.rounds):
                for name, helpbot in running.items():
                    cost, sizes[name] = measure(helpbot.process.pid, helpbot.port, "{ site { " + query + " } }", helpbot.secret, options.requests)
                    figures[name].append(cost)
                cost, sizes["mercurius"] = measure(node.pid, port, "{ " + query + " }", None, options.requests)
                figures["mercurius"].append(cost)
                if bare:
                    cost, sizes["bare axum"] = measure(bare.pid, bare_port, "{ " + query + " }", None, options.requests)
                    figures["bare axum"].append(cost)
            peer = statistics.median(figures["mercurius"])
            print(title)
            for name, values in figures.items():
                median = statistics.median(values)
                print(f"  {name:16} {median:.3f} ms CPU per request, {sizes[name]} bytes, {median / peer:.2f} x mercurius")
    finally:
        for helpbot in running.values():
            helpbot.stop()
        for process in filter(None, [node, bare]):
            process.kill()
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
