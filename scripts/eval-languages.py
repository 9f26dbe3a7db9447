#!/usr/bin/env python3
"""Asks a running HelpBot the questions of visitors on FAQ pages in ten languages, and prints the results as Markdown.

usage: scripts/eval-languages.py [BINARY] [--questions]

Starts BINARY (default target/release/helpbot) with an empty directory, serves docs/evaluation/ten-languages/ from this
machine, syncs each page as a site of its own with default settings, and asks the questions of questions.json through GraphQL.
--questions also prints each question with its result.

A question with an answer on the page is counted as
  right     answered from the entry that has the answer
  offered   not answered, and this entry is among the suggestions
  wrong     answered from another entry
  declined  neither answered nor offered, also when only other entries were offered
A question without an answer on the page is counted as "wrong" when it was answered.

Needs only the standard library of Python 3.8 or later."""
import functools, html, http.server, json, os, pathlib, re, signal, socket, subprocess, sys, tempfile, threading, time, unicodedata, urllib.request

PAGES = pathlib.Path(__file__).resolve().parent.parent / "docs/evaluation/ten-languages"
ASK = """mutation ($question: String!) { askQuestion(input: {question: $question}) {
  userErrors { message } suggestions conversation { outcome answer citations { quote } } } }"""
# Seconds after which a server that does not listen counts as failed.
START_MAX = 30


def plain(text):
    """The letters and digits of a text, so that Markdown, white space and punctuation make no difference."""
    return "".join(c for c in unicodedata.normalize("NFKC", html.unescape(text)).casefold() if c.isalnum())


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def result(question, reply, answers):
    """The word for a reply. `answers` has the text of each entry's answer by its question."""
    if reply["userErrors"]:
        sys.exit(f"{question['question']}: {reply['userErrors']}")
    conversation, expected = reply["conversation"], question["entry"]
    if conversation["outcome"] != "ANSWERED":
        is_offered = expected is not None and plain(expected) in map(plain, reply["suggestions"])
        return "offered" if is_offered else "declined"
    if expected is None:
        return "wrong"
    first = plain(conversation["citations"][0]["quote"])
    return "right" if first and first in answers[plain(expected)] else "wrong"


def ask(base, key, question):
    body = json.dumps({"query": ASK, "variables": {"question": question}}).encode()
    head = {"content-type": "application/json", "authorization": f"Bearer {key}"}
    with urllib.request.urlopen(urllib.request.Request(base + "/graphql", body, head), timeout=30) as response:
        return json.load(response)["data"]["askQuestion"]


def measured(binary, data, questions):
    """Yields each question with its result."""
    files = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(PAGES)))
    threading.Thread(target=files.serve_forever, daemon=True).start()
    port = free_port()
    env = {**os.environ, "HELPBOT_ALLOW_PRIVATE": "127.0.0.1", "HELPBOT_CRAWL_DELAY_MS": "0", "HELPBOT_RATE_LIMITS": "off"}
    log = open(os.path.join(data, "log"), "wb")
    server = subprocess.Popen([binary, "serve", "--listen", f"127.0.0.1:{port}", "--data", data], stdout=log, stderr=log, env=env)
    try:
        give_up = time.monotonic() + START_MAX
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > give_up or server.poll() is not None:
                    sys.exit("the server did not start: " + open(log.name).read())
                time.sleep(.05)

        def cli(*arguments):
            done = subprocess.run([binary, *arguments, "--data", data, "--json"], env=env, capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"helpbot {' '.join(arguments)}: {done.stderr}")
            return done.stdout

        for page in sorted({question["page"] for question in questions}):
            site = json.loads(cli("site", "create", "--name", page, "--owner-email", "owner@shop.example", "--plan", "scale"))["id"]
            key = re.search(r"sk_live_\w+", cli("key", "create", "--site", site, "--kind", "secret"))[0]
            cli("source", "add", "--site", site, f"http://127.0.0.1:{files.server_address[1]}/{page}", "--wait")
            items = map(json.loads, cli("extract", str(PAGES / page)).splitlines())
            answers = {plain(item["q"]): plain(item["a"]) for item in items if "q" in item}
            for question in questions:
                if question["page"] == page:
                    reply = ask(f"http://127.0.0.1:{port}", key, question["question"])
                    yield question, result(question, reply, answers), reply
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)
        files.shutdown()


def main():
    arguments = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    binary = os.path.abspath(arguments[0] if arguments else "target/release/helpbot")
    questions = json.loads((PAGES / "questions.json").read_text())
    with tempfile.TemporaryDirectory() as data:
        results = list(measured(binary, data, questions))
    counts = {}
    for question, word, _ in results:
        row = counts.setdefault(question["language"], {})
        name = word if question["entry"] else f"no {word}"
        row[name] = row.get(name, 0) + 1
    print("| language | right | offered | wrong | declined | without an answer: not answered | answered |")
    print("|---|---|---|---|---|---|---|")
    names = ["right", "offered", "wrong", "declined", "no declined", "no wrong"]
    for language, row in counts.items():
        print(f"| {language} | " + " | ".join(str(row.get(name, 0)) for name in names) + " |")
    print("| all | " + " | ".join(str(sum(row.get(name, 0) for row in counts.values())) for name in names) + " |")
    if "--questions" in sys.argv:
        print("\n| page | question | entry | result |\n|---|---|---|---|")
        for question, word, _ in results:
            cells = [question["page"], question["question"], question["entry"] or "none", word]
            print("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")


main()
