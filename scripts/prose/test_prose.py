"""Tests of the prose check: a bad sentence of each kind is found on its line, and good ones pass.

Run with `python3 -m unittest discover -s scripts/prose`."""
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import paths  # noqa: E402
import rules  # noqa: E402
import texts  # noqa: E402


def described(text):
    return [(rule, line) for found in texts.of_schema('"""\n%s\n"""\ntype A' % text) for rule, line, _ in rules.check(found)]


def found_in(path, source):
    return [(rule, line) for found in texts.of_file(path, source) for rule, line, _ in rules.check(found)]


class Descriptions(unittest.TestCase):
    def test_good_descriptions_pass(self):
        for text in (
            "ID of the site. Defaults to the site that the API key belongs to.",
            "Errors caused by the input. Empty when the mutation succeeded.",
            "Number of items to return from the start of the list, 1 to 100. Defaults to 20.",
            "Whether the visitor is typing.",
            "When the mutation failed, this is null.",
        ):
            self.assertEqual(described(text), [], text)

    def test_a_description_without_a_verb_is_found(self):
        self.assertIn(("verb", 2), described("The corner of the page."))

    def test_a_short_description_is_found(self):
        self.assertIn(("short", 2), described("The source."))

    def test_a_question_word_without_a_main_clause_is_found(self):
        self.assertIn(("fragment", 2), described("What it is used for."))

    def test_a_description_without_a_period_is_found_on_its_last_line(self):
        self.assertIn(("period", 3), described("Only conversations that\nhave an answer"))

    def test_an_optional_value_without_its_default_is_found(self):
        schema = """input AddInput {
  \"\"\"
  Address of the page that was added.
  \"\"\"
  url: String
  \"\"\"
  Title of the page. Defaults to its address.
  \"\"\"
  title: String
  \"\"\"
  Text of the page that was added.
  \"\"\"
  text: String!
}
type Page {
  \"\"\"
  Entries that the page contains.
  \"\"\"
  entries(
    \"\"\"
    Only the items after the cursor are returned.
    \"\"\"
    after: String
  ): [Entry!]
}
"""
        found = [(line, rule) for text in texts.of_schema(schema) for rule, line, _ in rules.check(text)]
        self.assertEqual(found, [(3, "default"), (21, "default")])

    def test_a_banned_construction_is_found_on_its_line(self):
        self.assertIn(("banned", 3), described("ID of the site that is used;\nthe own one of the key if not said."))


class Banned(unittest.TestCase):
    def test_every_kind_of_the_house_style_is_found(self):
        for text in (
            "The site; the own one of the key.",
            "It is 20 if not said.",
            "It keeps at most so many.",
            "The visitor is told about it.",
            "It shall be closed.",
            "It is read anew.",
            "All of them save for one are kept.",
            "Whoever comes first gets it.",
            "The key belongs to who made it.",
            "An endpoint of ill will is paused.",
            "The row stands in the table.",
            "It is not used any more.",
            "While no more waits, as mostly, it is fast.",
        ):
            self.assertIn(("banned", 1), found_in("docs/a.md", text), text)

    def test_good_sentences_pass(self):
        for text in (
            "A visitor who asks twice gets the same answer.",
            "Keys can be told apart by their last four characters.",
            "UTC stands for Coordinated Universal Time.",
            "There are so many that the list is cut.",
            "Who may read this?",
        ):
            self.assertEqual(found_in("docs/a.md", text), [], text)

    def test_a_test_that_begins_with_who_is_found(self):
        self.assertIn(("banned", 1), found_in("a.rs", "fn who_reads_nothing_is_cut_off() {}"))


class Replaced(unittest.TestCase):
    def test_every_word_that_the_glossary_replaced_is_found(self):
        glossary = os.path.join(rules.FOLDER, "../../docs/glossary.md")
        with open(glossary, encoding="utf-8") as file:
            rows = re.findall(r"^\| \*\*.*\| ([^|]*) \|$", file.read(), re.M)
        words = [word.strip() for row in rows for word in row.split(",") if word.strip()]
        self.assertGreater(len(words), 10)
        for word in words:
            text = "It is the %s." % word
            self.assertIn(("replaced", 1), found_in("docs/a.md", text), word)

    def test_a_replaced_word_is_found_wherever_a_person_reads(self):
        for path, source in (
            ("schema.graphql", '"""\nThe next reading of it is planned.\n"""'),
            ("a.rs", "/// The next reading of it is planned."),
            ("a.rs", "// The next reading of it is planned."),
            ("a.rs", 'let a = "the next reading of it is planned";'),
            ("a.rs", "fn the_next_reading_is_planned() {}"),
            ("a.tsx", "<p>The next reading of it is planned.</p>"),
            ("a.ts", "const a = 'The next reading of it is planned.';"),
            ("a.html", "<p>The next reading of it is planned.</p>"),
            ("a.py", "# The next reading of it is planned."),
        ):
            self.assertIn("replaced", [rule for rule, _ in found_in(path, source)], source)

    def test_code_is_no_prose(self):
        self.assertEqual(found_in("docs/a.md", "The route is `POST /sources/rescrape`, which is kept."), [])
        self.assertEqual(found_in("a.rs", 'let a = "SELECT sole FROM figures WHERE chance = 1";'), [])
        self.assertEqual(found_in("docs/a.md", "```\nthe reading\n```\n"), [])


class Texts(unittest.TestCase):
    def test_a_doc_comment_without_a_period_is_found(self):
        self.assertIn(("period", 2), found_in("a.rs", "/// Reads the file and\n/// returns its text\nfn a() {}"))

    def test_a_list_and_a_heading_need_no_period(self):
        self.assertEqual(found_in("a.rs", "/// # Errors\n/// - the first case\nfn a() {}"), [])

    def test_a_string_over_several_lines_is_one_text(self):
        source = 'let a = "first words of it\\\n    and it shall be found";'
        self.assertEqual(found_in("a.rs", source), [("banned", 2)])


class Paths(unittest.TestCase):
    def test_a_file_that_is_not_there_is_found(self):
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(os.path.join(root, "docs/decisions"))
            for name in ("docs/decisions/0001-a.md", "docs/b.md"):
                with open(os.path.join(root, name), "w", encoding="utf-8") as file:
                    file.write("# Head line\n")
            source = "[a](b.md#head-line) [b](c.md) [c](b.md#x)\ndocs/decisions/0001 docs/decisions/0009 docs/b.md docs/c.md"
            found = list(paths.check(root, "docs/a.md", source, texts.of_markdown(source)))
        self.assertEqual([line for line, _ in found], [1, 1, 2, 2], found)


class Linters(unittest.TestCase):
    """codespell and proselint, where `scripts/prose/check` has installed them."""

    def test_british_spelling_and_a_cliche_are_found(self):
        tools = os.environ.get("PROSE_TOOLS")
        if not tools:
            self.skipTest("PROSE_TOOLS does not name the folder of codespell and proselint")
        sys.path.insert(0, rules.FOLDER)
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "a.md.txt"), "w", encoding="utf-8") as file:
                file.write("The colour is authorised.\nAt the end of the day it is a perfect storm.\n")
            import importlib.util

            spec = importlib.util.spec_from_file_location("prose", os.path.join(rules.FOLDER, "__main__.py"))
            prose = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(prose)
            spelled = list(prose.spelling(os.path.join(tools, "codespell"), folder))
            styled = list(prose.style(os.path.join(tools, "proselint"), folder))
        self.assertEqual([(path, line) for path, line, _ in spelled], [("a.md", 1), ("a.md", 1)])
        self.assertIn(("a.md", 2), [(path, line) for path, line, _ in styled])


if __name__ == "__main__":
    unittest.main()
