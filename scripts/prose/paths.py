"""Checks that files which a text names exist: links of Markdown with their anchors, and paths in any text.

Called by `__main__.py`. A path counts when it begins with a folder of the repository's root; what a build makes
(ignored by Git) is left out.
"""
import os
import re

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
MADE = re.compile(r"(^|/)(target|node_modules|dist|out|\.venv|helpbot-data)(/|$)|\*|…|\.\.\.|NNNN|<")
ROOTS = ("api", "benches", "db", "delivery", "docs", "domain", "engine", "ingest", "migrations", "outbound", "rest-compat",
         "scripts", "server", "services", "tests", "web", ".ci", ".github")
PATH = re.compile(r"(?<![\w./-])(?:%s)/[\w./-]*[\w/]" % "|".join(re.escape(root) for root in ROOTS))


def exists(root, path):
    """Whether a file, folder, module (`db/src/events`) or decision by its number (`docs/decisions/0012`) is there."""
    full = os.path.join(root, path.rstrip("/"))
    if os.path.exists(full):
        return True
    folder, name = os.path.split(full)
    if not os.path.isdir(folder):
        return False
    return any(entry.startswith(name + ".") or (re.fullmatch(r"\d{4}", name) and entry.startswith(name + "-"))
               for entry in os.listdir(folder))


def anchors(path):
    """The anchors of a Markdown file's headings, as GitHub makes them."""
    with open(path, encoding="utf-8") as file:
        heads = re.findall(r"^#+ (.*)$", file.read(), re.M)
    slug = lambda head: re.sub(r"[^\w -]", "", re.sub(r"\]\([^)]*\)", "", head).lower()).replace(" ", "-")
    return {slug(head) for head in heads}


def links(root, path, source):
    folder = os.path.join(root, os.path.dirname(path))
    for match in LINK.finditer(source):
        target, _, anchor = match.group(1).partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        line = source.count("\n", 0, match.start()) + 1
        to = os.path.join(folder, target) if target else os.path.join(root, path)
        if not os.path.exists(to):
            yield line, "the link leads nowhere: %s" % match.group(1)
        elif anchor and to.endswith(".md") and anchor not in anchors(to):
            yield line, "there is no heading for #%s" % anchor


def check(root, path, source, found):
    """What the texts of a file name and the repository does not have: (line, explanation)."""
    if path.endswith(".md"):
        yield from links(root, path, source)
    if path.endswith("CHANGELOG.md"):
        return
    for text in found:
        if text.kind in ("string", "name", "description"):
            continue
        for match in PATH.finditer(text.text):
            named = match.group()
            # A word with a slash is no path: "api/services" must name a file or folder with an ending or a depth.
            if "." not in os.path.basename(named) and named.count("/") < 2:
                continue
            # Beside the code, a path may begin in the crate.
            places = (named, os.path.join(path.split("/")[0], named))
            if not MADE.search(named) and not any(exists(root, place) for place in places):
                yield text.line + text.text.count("\n", 0, match.start()), "there is no %s" % named
