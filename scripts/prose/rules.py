"""The rules of docs/glossary.md and of the project's language: each takes a text and names what is wrong.

Called by `__main__.py`. Spelling and clichés are not here: codespell and proselint know them better.
"""
import os
import re

import texts

FOLDER = os.path.dirname(os.path.abspath(__file__))
LEAST_WORDS = 4
# After these a period does not end a sentence.
ABBREVIATIONS = re.compile(r"\b(e\.g|i\.e|etc|vs|approx|no|cf)\.$", re.I)
FRAGMENT = re.compile(r"(?:^|(?<=[.!?] ))(What|Which|How|Why|Who|Whose|Where|When|That of|Those)\b[^.,?!;]*\.(?= |$)")


# How the description of an optional value says what its absence means.
ABSENCE = re.compile(r"\b(defaults? to|by default|absent|null|is required)\b", re.I)


def table(name):
    """The rules of a file: regular expression, TAB, the advice."""
    found = []
    with open(os.path.join(FOLDER, name), encoding="utf-8") as lines:
        for line in lines:
            line = line.rstrip("\n")
            if line and not line.startswith("#"):
                pattern, _, advice = line.partition("\t")
                found.append((re.compile(pattern, re.I | re.M), advice))
    return found


def words_of(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as lines:
        return {word for line in lines if not line.startswith("#") for word in line.split()}


BANNED = table("banned.txt")
REPLACED = table("replaced.txt")
VERBS = words_of("verbs.txt")


def flat(text):
    """On one line, with the same offsets."""
    return texts.without_code(text).replace("\n", " ")


def has_verb(text):
    """Whether a sentence of the text has a verb: a listed one, a past form, or an infinitive after "to"."""
    words = re.findall(r"[a-z']+", texts.without_code(text).lower())
    for at, word in enumerate(words):
        if word in VERBS or (word.endswith("ed") and len(word) > 4 and word not in ("need", "speed", "hundred", "embed")):
            return True
        if word.endswith("n't") or (word == "to" and at + 1 < len(words) and words[at + 1] in INFINITIVES):
            return True
    return False


INFINITIVES = {"answer", "list", "page", "name", "use", "set", "order", "sync", "replay", "search", "vote", "report",
               "show", "start", "end", "link", "count", "claim", "look", "try", "filter", "sort", "sign", "wait"}


def matches(rule, table, text):
    line = flat(text.text)
    for pattern, advice in table:
        for match in pattern.finditer(line):
            yield rule, text.line + text.text.count("\n", 0, match.start()), '"%s": %s' % (match.group().strip(), advice)


def end_of_sentence(text):
    """What is wrong with the last mark of a paragraph, if anything is. A route alone is a title, and a
    reference in parentheses may follow the last sentence. Pictures need no period."""
    body = text.text.rstrip()
    if re.fullmatch(r"[A-Z]+ /\S+", body) or re.search(r"[.!?]\s+\([^()]*\)$", body) or body.lstrip().startswith("!["):
        return
    last = body.rstrip(")\"'*_”’")[-1:] or body[-1:]
    if last in ".!?:" or body.endswith(("`", "|", ">")) and text.kind != texts.DESCRIPTION:
        return
    yield "period", text.line + text.text.rstrip().count("\n"), "a sentence ends with a period: …%s" % body[-30:].replace("\n", " ")


def description(text):
    """What only descriptions of GraphQL and OpenAPI must satisfy."""
    words = re.findall(r"[A-Za-z0-9`][\w'`./:-]*", texts.without_code(text.text))
    if len(words) < LEAST_WORDS:
        yield "short", text.line, 'fewer than %d words: "%s"' % (LEAST_WORDS, text.text)
    elif not has_verb(text.text):
        yield "verb", text.line, 'no verb: "%s"' % text.text.replace("\n", " ")
    if text.is_optional and not ABSENCE.search(flat(text.text)):
        yield "default", text.line, 'does not say what its absence means ("Defaults to …"): "%s"' % text.text
    for match in FRAGMENT.finditer(flat(text.text)):
        yield "fragment", text.line, 'no whole sentence: "%s"' % match.group()


def check(text):
    """All rules for one text: (rule, line, explanation)."""
    yield from matches("banned", BANNED, text)
    yield from matches("replaced", REPLACED, text)
    if text.kind == texts.NAME and text.text.startswith("who "):
        yield "banned", text.line, '"%s": begin the name with a noun' % text.text
    if text.kind == texts.DESCRIPTION:
        yield from description(text)
    if text.is_whole and text.kind in (texts.DESCRIPTION, texts.DOC, texts.MARKDOWN):
        yield from end_of_sentence(text)
