"""Bring the catalogues of translations up to the code: `python tools/texts.py [--missing]`.

Texts come from three places: `_`, `counted` and `marked` in the plug-ins; labels and meanings in the vocabulary's rows; and the
sentences of errors and warnings, whose blanks become named ones, as they reach an editor from the server with the blanks filled
in. A translator edits `plugins/languages/<language>.po` with any gettext editor; a plug-in gets it compiled when it is put
together. With `--missing` nothing is written: what has no translation is named.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
CATALOGUES = ROOT / "plugins" / "languages"
DESKTOP = ROOT / "plugins" / "krita" / "acetate.desktop"
KEYWORDS = {"_": None, "marked": None, "counted": (1, 2)}
ROOMS = ("vocabulary", "protocol", "engine", "document", "server")
"""Whose sentences can reach an editor."""
NOT_FOR_EDITORS = (
    *(
        "server/command_line/",
        "server/commands/",
        "server/configuration/",
        "server/schemas/",
        "server/ray/",
        "server/instance.py",
    ),
    *("server/http/listening.py", "server/http/refusals.py", "server/http/requests.py", "server/http/serve.py", "server/people/"),
    *("engine/__init__.py", "engine/benchmark/", "engine/downloads/", "engine/layerdiffuse/", "engine/files/gguf_headers.py"),
    *("protocol/frames.py", "protocol/messages.py", "protocol/schema.py", "protocol/schema_", "server/http/uploads.py"),
    *("server/storage/blobs.py", "server/storage/database.py", "server/storage/recovery.py", "server/worker/fake_engine.py"),
    *("server/worker/worker_messages.py", "engine/weights/patch", "engine/checkpoints/original_names.py"),
)
"""What only the command line says, and what is said to programs that speak the protocol wrongly."""
WARNING = (
    *("document/", "protocol/client/", "vocabulary/verdict.py", "vocabulary/value_types.py", "engine/pixels/quality.py"),
    *(
        "engine/prompt_language/",
        "engine/upscaling/upscale.py",
        "engine/sampling/retries.py",
        "engine/models/additions.py",
        "engine/sketch/showing.py",
        "engine/checkpoints/distillation.py",
    ),
    *("engine/device/memory_budget.py", "engine/values/errors.py", "engine/weights/finite.py", "engine/files/library.py"),
    *("engine/preflight.py", "engine/requirements.py", "server/failures.py", "server/jobs/", "server/storage/stored_content.py"),
)
"""The modules all of whose sentences reach an editor: they warn, or find out what is wrong for others that raise it."""
MISTAKES = ("ValueError", "TypeError", "AssertionError", "RuntimeError", "KeyError", "UsageError", "SettingsError", "TokenError")
"""Errors of the command line, and mistakes in the program."""
UNNAMED = re.compile(r"\{(![rs])?\}")
"""A blank that is filled in by its place, as no translation can."""
BLANK = re.compile(r"\{\w+\}")
WORD = re.compile(r"[A-Za-z]{3}")
SENTENCE = re.compile(r"""["'“]?[\w{`][^ <>]* [^ <>]+ [^<>]+""")
"""At least three words, without code of other languages."""


def template() -> Catalog:
    """Every visible text, with the places where it stands."""
    catalogue = Catalog(project="acetate", charset="utf-8", fuzzy=False)
    for file, _line, text, comments, _context in extract_from_dir(
        ROOT / "plugins", method_map=[("**.py", "python")], keywords=KEYWORDS, comment_tags=["Translators:"]
    ):
        catalogue.add(text, locations=[(f"plugins/{file}", None)], auto_comments=comments)
    catalogue.add(of_desktop(), locations=[(DESKTOP.relative_to(ROOT).as_posix(), None)])
    for text in of_vocabulary():
        catalogue.add(text, locations=[("vocabulary", None)])
    for path in (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(NOT_FOR_EDITORS):
            for text in of_sentences(path.read_text(encoding="utf-8"), everywhere=name.startswith(WARNING)):
                catalogue.add(text, locations=[(name, None)])
    return catalogue


def of_desktop() -> str:
    """What Krita's list of plug-ins says about ours."""
    return DESKTOP.read_text(encoding="utf-8").partition("\nComment=")[2].partition("\n")[0]


def of_vocabulary() -> Iterator[str]:
    """The labels and meanings of tasks, roles and parameters."""
    from acetate.vocabulary.parameters import PARAMETERS
    from acetate.vocabulary.tasks import TASKS

    for task in TASKS.values():
        yield from (task.label, task.verb, task.meaning)
    for parameter in PARAMETERS.values():
        yield parameter.help


def of_sentences(code: str, *, everywhere: bool) -> Iterator[str]:
    """The sentences that are given to an error or a complaint in this module, or all that it has; their blanks are named."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _speaks(node.func):
            given = (*node.args, *(keyword.value for keyword in node.keywords))
            yield from (text for part in given for text in _texts(part) if " " in text and WORD.search(BLANK.sub("", text)))
    if everywhere:
        silent = {id(part) for node in ast.walk(tree) if _is_silent(node) for part in ast.walk(node)}
        yield from (text for text in _texts(tree, silent) if SENTENCE.match(text))


def _speaks(function: ast.expr) -> bool:
    name = function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    errors = ("Error", "Complaint", "Failure", "BadRequest", "Missing", "Broken", "OutOfMemory", "TooLarge", "File", "NotFound")
    return name[:1].isupper() and name.endswith(errors) and name not in MISTAKES


def _is_silent(node: ast.AST) -> bool:
    """Whether it is read by nobody: a docstring, a line of the log, a mistake of ours, a pattern."""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return name in (*MISTAKES, "debug", "info", "warning", "error", "exception", "compile")
    return isinstance(node, ast.Assert) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _texts(node: ast.AST, silent: Collection[int] = ()) -> Iterator[str]:
    """The texts within, in the code's order, as they stand in a catalogue."""
    if id(node) in silent:
        return
    text = _text(node)
    if text is not None:
        if text.strip() and not UNNAMED.search(text):
            yield text
        return
    for child in ast.iter_child_nodes(node):
        yield from _texts(child, silent)


def _text(value: ast.AST) -> str | None:
    """A text as it stands in a catalogue; `None` for what is none."""
    if isinstance(value, ast.Constant):
        return value.value if isinstance(value.value, str) else None
    if not isinstance(value, ast.JoinedStr):
        return None
    names: dict[str, str] = {}
    parts = []
    for part in value.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value).replace("{", "{{").replace("}", "}}"))
        elif isinstance(part, ast.FormattedValue):
            parts.append("{" + names.setdefault(ast.dump(part.value), _name(part.value, set(names.values()))) + "}")
    return "".join(parts)


def _name(value: ast.expr, taken: set[str]) -> str:
    name = value.id if isinstance(value, ast.Name) else value.attr if isinstance(value, ast.Attribute) else "value"
    name = name.strip("_") or "value"
    return name if name not in taken else next(f"{name}{n}" for n in range(2, 99) if f"{name}{n}" not in taken)


def updated(path: Path, wanted: Catalog) -> Catalog:
    """A language's catalogue with the code's texts: new ones empty, those that are gone left out."""
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.stem)
    catalogue.update(wanted, no_fuzzy_matching=True, update_header_comment=False)
    catalogue.obsolete.clear()
    return catalogue


def write(path: Path, catalogue: Catalog) -> None:
    """Write it in the code's order, below the head that the file has: what Babel would write there changes at every run."""
    head = path.read_bytes().partition(b"\n\n")[0]
    with path.open("wb") as file:
        file.write(head + b"\n\n")
        write_po(file, catalogue, width=120, omit_header=True)


def untranslated(catalogue: Catalog) -> list[str]:
    """The texts that it has no translation for."""
    return [str(message.id) for message in catalogue if message.id and not _complete(message.string)]


def main() -> int:
    """Write the catalogues, or name what they lack; 1 when something is missing."""
    wanted, missing = template(), 0
    for path in sorted(CATALOGUES.glob("*.po")):
        catalogue = updated(path, wanted)
        empty = untranslated(catalogue)
        missing += len(empty)
        print(f"{path.stem}: {len(catalogue)} texts, {len(empty)} without a translation")
        if "--missing" in sys.argv:
            print(*(f"  {text}" for text in empty), sep="\n")
        else:
            write(path, catalogue)
    return 1 if missing else 0


def _complete(string: str | tuple[str, ...] | list[str]) -> bool:
    return bool(string) if isinstance(string, str) else bool(string) and all(string)


if __name__ == "__main__":
    sys.exit(main())
