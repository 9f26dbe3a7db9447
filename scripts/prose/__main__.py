"""Checks the language of everything that a person reads; prints `file:line: rule: explanation`.

usage: python3 scripts/prose [--openapi FILE] [--tools DIRECTORY] [PATH…]

PATH       files or folders; without one, every file that Git tracks
--openapi  an OpenAPI document whose descriptions are checked too
--tools    the folder with the programs `codespell` and `proselint`; without it, those on the PATH.
           `scripts/prose/check` installs them and calls this program.

The rules are in banned.txt, replaced.txt (words that docs/glossary.md replaced) and rules.py. codespell checks
the spelling, in US English; proselint finds clichés. Both see only prose: code is blanked out before. The exit
code is 1 when something was found."""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import paths  # noqa: E402
import rules  # noqa: E402
import texts  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(rules.FOLDER))
# Texts that are not ours to change, data, and the rules themselves, which quote what they forbid.
LEFT_OUT = re.compile(
    r"(^|/)(node_modules|target|dist)/|^scripts/prose/|^docs/(glossary|schema-changes)\.md$|^LICENSE|package-lock\.json$"
    r"|^docs/evaluation/[a-z-]+/|^engine/(assets|tests/.*languages)|(^|/)(corpus|fixtures|snapshots|golden)/|\.snap$|^ingest/fuzz/corpus"
)
# Texts in other languages: only our rules, which no other language breaks.
NOT_ENGLISH = re.compile(r"^web/widget/(words\.ts$|locales/(?!en\.))|widget_texts/built_in|stopwords|stemm")
# Strings that are vocabulary in several languages.
DATA = re.compile(r"^engine/(src|examples)/|^ingest/src/extract/facts/")
IN_TESTS = re.compile(r"(^|/)(tests?|examples)(/|\.rs$)|\.test\.")
PROSELINT = re.compile(r"^(?P<path>.*?):(?P<line>\d+):\d+: (?P<text>.*)$")
# The checks of proselint that fit documentation; the others ask for curly quotes or an essayist's taste.
STYLE_CHECKS = (
    "archaism", "cliches", "hedging", "industrial_language", "malapropisms", "mixed_metaphors", "mondegreens",
    "needless_variants", "nonwords", "oxymorons", "redundancy.misc.garner", "redundancy.misc.nordquist",
)


def tracked(paths):
    listed = subprocess.run(["git", "ls-files", "--", *paths], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    found = [path for path in listed.stdout.decode().splitlines() if not LEFT_OUT.search(path)]
    return sorted({path for path in found if os.path.isfile(os.path.join(ROOT, path))})


def read(path):
    try:
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError:
        return None


def mirror(folder, path, source, found):
    """Writes only the prose of a file, each line in its place. Strings of tests are data, often misspelled on purpose."""
    lines = []
    tests = source.find("#[cfg(test)]")
    tests_from = source.count("\n", 0, tests) if tests >= 0 else source.count("\n") + 1
    if IN_TESTS.search(path):
        tests_from = 0
    for text in found:
        if text.kind == texts.NAME or (text.kind == texts.STRING and text.line > tests_from):
            continue
        for at, line in enumerate(texts.without_code(text.text).split("\n")):
            number = text.line - 1 + at
            lines.extend([""] * (number + 1 - len(lines)))
            # Masks are not words.
            lines[number] += " " + re.sub(r"X{2,}", " ", line)
    to = os.path.join(folder, path + ".txt")
    os.makedirs(os.path.dirname(to), exist_ok=True)
    with open(to, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def spelling(program, folder):
    """What codespell finds: (path, line, explanation)."""
    ignored = os.path.join(rules.FOLDER, "spelling.txt")
    run = subprocess.run([program, "--builtin", "clear,rare,en-GB_to_en-US", "-I", ignored, "."], cwd=folder, stdout=subprocess.PIPE)
    for line in run.stdout.decode().splitlines():
        match = re.match(r"\./(.*?)\.txt:(\d+): (.*)", line)
        if match:
            yield match.group(1), int(match.group(2)), match.group(3)
        else:
            raise SystemExit("codespell said: " + line)


def style(program, folder):
    """What proselint finds: (path, line, explanation)."""
    run = subprocess.run([program, "-o", "compact", "check", "."], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for line in run.stdout.decode().splitlines():
        match = PROSELINT.match(line)
        if match and match.group("text").startswith(STYLE_CHECKS) and "on the same page" not in match.group("text"):
            path = os.path.relpath(os.path.join(folder, match.group("path")), folder)
            yield path[: -len(".txt")], int(match.group("line")), match.group("text")


def program(tools, name):
    found = shutil.which(name, path=tools) if tools else shutil.which(name)
    if not found:
        print("%s is not installed; scripts/prose/check installs it" % name, file=sys.stderr)
    return found


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--openapi")
    a.add_argument("--tools")
    a.add_argument("paths", nargs="*")
    a = a.parse_args()
    findings, is_complete = [], True
    with tempfile.TemporaryDirectory() as folder:
        for path in tracked([os.path.relpath(os.path.abspath(path), ROOT) for path in a.paths]):
            source = read(path)
            found = source and texts.of_file(path, source)
            if found and DATA.search(path):
                found = [text for text in found if text.kind != texts.STRING]
            if not found:
                continue
            if not NOT_ENGLISH.search(path):
                mirror(folder, path, source, found)
            findings += [(path, line, rule, why) for text in found for rule, line, why in rules.check(text)]
            findings += [(path, line, "path", why) for line, why in paths.check(ROOT, path, source, found)]
        if a.openapi:
            with open(a.openapi, encoding="utf-8") as file:
                found = texts.of_openapi(file.read())
            findings += [(a.openapi, line, rule, why) for text in found for rule, line, why in rules.check(text)]
        for rule, name, run in (("spelling", "codespell", spelling), ("style", "proselint", style)):
            tool = program(a.tools, name)
            is_complete &= bool(tool)
            findings += [(path, line, rule, why) for path, line, why in run(tool, folder)] if tool else []
    for path, line, rule, why in sorted(set(findings)):
        print("%s:%d: %s: %s" % (path, line, rule, why))
    if findings:
        print("prose: %d findings" % len(set(findings)), file=sys.stderr)
    return 1 if findings or not is_complete else 0


if __name__ == "__main__":
    sys.exit(main())
