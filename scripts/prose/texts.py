"""Finds the English text in a file: paragraphs with their kind and the line on which they begin.

Called by the checks in `__main__.py`. It decides what is prose and what is code; it judges nothing.
"""
import html
import json
import re
from dataclasses import dataclass

# Kinds of text. Descriptions are what a client sees beside a field, so their rules are the strictest.
DESCRIPTION, DOC, COMMENT, STRING, MARKDOWN, NAME = "description", "doc", "comment", "string", "markdown", "name"


@dataclass
class Text:
    """A paragraph as it is in the file. Line breaks are kept, so that an offset leads to a line."""

    kind: str
    line: int
    text: str
    # The first line of a doc comment belongs to code or to a list; such a paragraph needs no period.
    is_whole: bool = True
    # An argument or input field of the schema that a request may leave out.
    is_optional: bool = False


CODE_SPAN = re.compile(r"``.+?``|`[^`\n]*(?:\n[^`\n]*)?`")
LINK = re.compile(r"\]\([^)\s]*(?: \"[^\"]*\")?\)|\]\[[^\]]*\]")
URL = re.compile(r"\bhttps?://[^\s<>)\"']+")
TAG = re.compile(r"<!--.*?-->|</?[a-zA-Z][^<>]*>", re.S)


def without_code(text):
    """The text with code, addresses and markup replaced by as many letters or spaces."""

    def letters(match):
        return re.sub(r"[^\n]", "X", match.group())

    def spaces(match):
        return re.sub(r"[^\n]", " ", match.group())

    text = CODE_SPAN.sub(letters, text)
    text = LINK.sub(lambda match: "]" + spaces(match)[1:], text)
    text = URL.sub(letters, text)
    return TAG.sub(spaces, text)


def paragraphs(kind, first_line, lines):
    """Splits lines of Markdown into paragraphs. Code blocks, tables' rulers and headings are left out."""
    found, current, start, fence, is_item = [], [], 0, None, False

    def close(is_whole=True):
        nonlocal current
        if any(line.strip() for line in current):
            found.append(Text(kind, first_line + start, "\n".join(current), is_whole and not is_item))
        current = []

    for at, line in enumerate(lines):
        bare = line.strip()
        if fence:
            fence = None if bare.startswith(fence) else fence
            continue
        opening = re.match(r"`{3,}|~{3,}", bare)
        if opening:
            # A paragraph that leads to a code block may end with a colon or without a mark.
            close(is_whole=False)
            fence = opening.group()
        elif not bare or re.fullmatch(r"[-=_*|: ]{3,}", bare):
            close()
            is_item = False
        elif bare.startswith("#") and re.match(r"#{1,6} ", bare):
            close()
            found.append(Text(kind, first_line + at, bare.lstrip("# "), False))
            is_item = False
        elif bare.startswith("|"):
            close()
            found.append(Text(kind, first_line + at, line, False))
        elif re.match(r"([-*+]|\d+\.) ", bare):
            close()
            start, current, is_item = at, [line], True
        elif re.match(r"\[[^\]]+\]: ", bare):
            close()
        elif len(line) - len(line.lstrip()) >= 4 and not current:
            continue
        else:
            if not current:
                start = at
            current.append(line)
    close()
    return found


def of_markdown(source):
    return paragraphs(MARKDOWN, 1, source.split("\n"))


def is_optional(source, end):
    """Whether the description that ends at `end` is that of an argument or input field without a required value."""
    declared = re.match(r"\s*?\n( *)\w+: *([^\n=]+)", source[end:])
    if not declared or declared.group(2).strip().rstrip(",").endswith("!"):
        return False
    of = re.findall(r"^(type|input|interface|enum|union|scalar|directive|schema)\b", source[:end], re.M)
    is_argument = len(declared.group(1)) > 2
    return is_argument or of[-1:] == ["input"]


def of_schema(source):
    """The descriptions of a GraphQL schema, each as one text of one or more paragraphs."""
    found = []
    for match in re.finditer(r'"""(.*?)"""', source, re.S):
        body = match.group(1)
        lead = len(body) - len(body.lstrip())
        line = source.count("\n", 0, match.start(1) + lead) + 1
        text = "\n".join(part.strip() for part in body.strip().split("\n"))
        found.append(Text(DESCRIPTION, line, text, is_optional=is_optional(source, match.end())))
    return found


def of_openapi(source):
    """The descriptions and summaries of an OpenAPI document. Their line is that of the key in the indented JSON."""
    found = []

    def walk(value):
        if isinstance(value, dict):
            for key, inner in value.items():
                if key == "description" and isinstance(inner, str):
                    needle = json.dumps(inner, ensure_ascii=False)
                    at = source.find(needle)
                    found.append(Text(DESCRIPTION, source.count("\n", 0, max(at, 0)) + 1, inner))
                elif key not in ("example", "examples", "default"):
                    walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(json.loads(source))
    return found


RUST_TOKEN = re.compile(
    r"""(?P<line>//[^\n]*)|(?P<block>/\*.*?\*/)|(?P<raw>b?r(?P<hashes>\#*)".*?"(?P=hashes))"""
    r"""|(?P<string>b?"(?:\\.|[^"\\])*")|(?P<char>'(?:\\.[^']*|[^'\\])')""",
    re.S,
)
SCRIPT_TOKEN = re.compile(
    r"""(?P<line>(?<![:\w])//[^\n]*)|(?P<block>/\*.*?\*/)|(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
    r"""|(?P<template>`(?:\\.|[^`\\])*`)|(?P<jsx>>[^<>{}]*[a-z]{2} [^<>{}=;]*<)""",
    re.S,
)
PLACE = re.compile(r"\{[^{}]*\}|\$\{[^{}]*\}|\\[nrt\"'\\]|%[sd]")
SQL = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|WITH|PRAGMA|BEGIN|VACUUM|EXPLAIN|DROP)\b")


def is_prose(text):
    """Whether a string literal is a sentence for a person: three words or more, and no query, path or markup."""
    words = re.findall(r"(?<![\w/.])[A-Za-z][a-z']+(?![\w/(=:])", text)
    return len(words) >= 3 and not SQL.match(text) and not re.search(r"[{;]\s*$|^\s*[<{(\[]|\w\(\)|=>|::|\bfn ", text)


def string_text(literal):
    """What a literal says, with as many characters as before, so that offsets still lead to the right line."""
    text = re.sub(r"\\\n\s*", lambda match: " " + "\n" + " " * (len(match.group()) - 2), literal)
    return PLACE.sub(lambda match: re.sub(r"[^\n]", "X" if match.group()[0] in "{$%" else " ", match.group()), text)


def of_rust(source, with_strings=True):
    """Doc comments, comments and string literals of a Rust file, and the names of its functions."""
    found, run, previous = [], None, -2

    def close():
        nonlocal run
        if run:
            kind, first, lines = run
            if kind == DOC:
                found.extend(paragraphs(DOC, first, lines))
            else:
                found.append(Text(COMMENT, first, "\n".join(lines), False))
        run = None

    for match in RUST_TOKEN.finditer(source):
        line = source.count("\n", 0, match.start()) + 1
        if match.group("line"):
            text = match.group("line")
            is_doc = text.startswith("//!") or (text.startswith("///") and not text.startswith("////"))
            kind, body = (DOC, text[3:]) if is_doc else (COMMENT, text[2:])
            body = body[1:] if body.startswith(" ") else body
            begins_line = source[source.rfind("\n", 0, match.start()) + 1 : match.start()].strip() == ""
            if run and run[0] == kind and line == previous + 1 and begins_line:
                run[2].append(body)
            else:
                close()
                run = (kind, line, [body])
            previous = line
        else:
            close()
            literal = match.group("string") or match.group("raw")
            if literal and with_strings:
                text = string_text(literal[literal.index('"') + 1 : literal.rindex('"')])
                if is_prose(text):
                    found.append(Text(STRING, line, text, False))
    close()
    for match in re.finditer(r"^\s*(?:pub(?:\([a-z]+\))? )?(?:async )?fn ([a-z0-9_]+)", source, re.M):
        if match.group(1).count("_") >= 2:
            line = source.count("\n", 0, match.start(1)) + 1
            found.append(Text(NAME, line, match.group(1).replace("_", " "), False))
    return found


def of_script(source):
    """Comments and sentences of a TypeScript or JavaScript file."""
    found, run, previous = [], None, -2

    def close():
        nonlocal run
        if run:
            found.append(Text(COMMENT, run[0], "\n".join(run[1]), False))
        run = None

    for match in SCRIPT_TOKEN.finditer(source):
        line = source.count("\n", 0, match.start()) + 1
        if match.group("line"):
            body = match.group("line")[2:].strip()
            if run and line == previous + 1:
                run[1].append(body)
            else:
                close()
                run = (line, [body])
            previous = line
            continue
        close()
        if match.group("block"):
            lines = [re.sub(r"^\s*\*? ?", "", part) for part in match.group("block")[2:-2].lstrip("*").split("\n")]
            found.append(Text(COMMENT, line, "\n".join(lines), False))
            continue
        text = string_text(next(match.group(name) for name in ("string", "template", "jsx") if match.group(name))[1:-1])
        if is_prose(text):
            found.append(Text(STRING, line, text, False))
    close()
    return found


def of_hash_comments(source):
    """Comments of shell, Python, TOML and YAML files, and the docstrings of Python."""
    found, run, previous = [], None, -2
    for at, raw in enumerate(source.split("\n"), 1):
        match = re.match(r"\s*#(?!!)\s?(.*)", raw)
        if not match:
            continue
        if run and at == previous + 1:
            run[1].append(match.group(1))
        else:
            run = (at, [match.group(1)])
            found.append(run)
        previous = at
    texts = [Text(COMMENT, first, "\n".join(lines), False) for first, lines in found]
    for match in re.finditer(r'"""(.*?)"""', source, re.S):
        texts.append(Text(COMMENT, source.count("\n", 0, match.start()) + 1, match.group(1), False))
    return texts


def of_sql(source):
    lines = [(at, raw.strip()[2:].strip()) for at, raw in enumerate(source.split("\n"), 1) if raw.strip().startswith("--")]
    return [Text(COMMENT, at, text, False) for at, text in lines]


def of_html(source):
    """The text between the tags of an HTML page, without its styles and scripts."""
    blank = lambda match: re.sub(r"[^\n]", " ", match.group())
    source = re.sub(r"<(style|script)\b.*?</\1>", blank, source, flags=re.S)
    found = []
    for match in re.finditer(r">([^<>]+)<", source):
        text = html.unescape(match.group(1))
        if re.search(r"[a-z]{2} [a-z]", text):
            found.append(Text(STRING, source.count("\n", 0, match.start(1)) + 1, text, False))
    return found


def of_file(path, source):
    """The texts of a file, by the way its name ends. None for a file without prose."""
    if path.endswith("schema.graphql"):
        return of_schema(source)
    if path.endswith("openapi.json"):
        return of_openapi(source)
    if path.endswith(".md"):
        return of_markdown(source)
    if path.endswith(".rs"):
        return of_rust(source)
    if path.endswith((".ts", ".tsx", ".mjs", ".js")):
        return of_script(source)
    if path.endswith((".py", ".sh", ".toml", ".yaml", ".yml")) or source.startswith("#!"):
        return of_hash_comments(source)
    if path.endswith(".sql"):
        return of_sql(source)
    if path.endswith(".html"):
        return of_html(source)
    if path.endswith(".graphql"):
        return of_hash_comments(source)
    return None
