"""Every visible text of both plug-ins goes through the catalogue, and every catalogue fits the code."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from acetate.plugins.hosts import ARCHIVE, GIMP, KRITA, Host
from acetate.plugins.install import zip_plugin
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

Key = str | tuple[str, ...]

PLUGINS = Path(__file__).parents[2] / "plugins"
SHOWN = [path.relative_to(PLUGINS).as_posix() for room in ("bridge", "gimp", "krita") for path in (PLUGINS / room).rglob("*.py")]

LANGUAGES = sorted(path.stem for path in (PLUGINS / "languages").glob("*.po"))
BLANK = re.compile(r"\{(\w+)\}")
MNEMONIC = re.compile(r"(?<![A-Za-z0-9_])_(?=\w)|(?<=[^\W\d_])_(?=[^\W\d_A-Z]+(?: |$|\.))")
"""The mark before an underlined letter, and not the one within a name."""

IN_CATALOGUE = {"_", "marked", "counted", "said"}
NOT_SHOWN = {
    *("debug", "info", "warning", "error", "exception", "getLogger", "Formatter"),  # the log is in English
    *("ValueError", "TypeError", "KeyError", "RuntimeError", "AssertionError"),  # mistakes in the program
    *("require_version", "getattr", "setObjectName", "icon", "babl_format", "get_data"),
}
"""Functions whose texts nobody reads in an editor."""
NAMES = {
    *("Acetate", "The Acetate authors", "gimp {}", "Krita {}"),  # also as the server is told them
    "<Layers>/Layers Menu/Acetate",  # where GIMP's menus are
    "\n# end of settings\n",  # as GIMP writes it
}
"""Texts that are the same in all languages."""
NAMES_OF_OTHERS = {
    "krita/colours.py": "profiles, as Krita calls them",
    "krita/inserting/blending.py": "Krita's blend modes",
    "krita/inserting/hand.py": "Krita's classes",
    "krita/widgets/own_keys.py": "Qt's keys",
    "krita/window/circumstances.py": "a report for the authors, in English",
    "krita/forms/remembering.py": "the key of an annotation in a document",
    "gimp/pixels.py": "babl's formats",
    "bridge/status/log_file.py": "folders of macOS",
    "gimp/acetate-gimp.py": "modules",
    "bridge/launch.py": "a command",
}
"""Modules whose texts are names that other programs give, and what they are."""


@pytest.mark.parametrize("module", sorted(set(SHOWN) - set(NAMES_OF_OTHERS)))
def test_no_visible_text_is_outside_the_catalogue(module: str) -> None:
    assert list(outside((PLUGINS / module).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("button.setText('Stop')", ["Stop"]),
        ("say(f'{name} is empty')", ["{} is empty"]),
        ("say(f'{count} layers')", ["{} layers"]),
        ("say('No layer ' + name)", ["No layer "]),
        ("say(_('Stop'), name='acetate_stop', icon='gimp-layer')", []),
        ("log.info('connected to %s', name)\nraise ValueError('no such layer here')", []),
        ("def stop() -> None:\n    'Stop the job.'", []),
        ("TITLE = marked('Stop the job')", []),
    ],
)
def test_a_text_outside_the_catalogue_is_found(code: str, found: list[str]) -> None:
    assert [text for _line, text in outside(code)] == found


@pytest.fixture(scope="module")
def texts() -> set[Key]:
    """Those of the code, as tools/texts.py finds them."""
    specification = importlib.util.spec_from_file_location("texts", PLUGINS.parent / "tools/texts.py")
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return {message.id for message in module.template() if message.id}


def test_there_are_at_least_the_five_languages_that_we_promise() -> None:
    assert set(LANGUAGES) >= {"de", "es", "fr", "ja", "zh_CN"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_exactly_the_texts_of_the_code(language: str, texts: set[Key]) -> None:
    assert {message.id for message in catalogue(language)} == texts, "python tools/texts.py brings the catalogues up to date"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_complete(language: str) -> None:
    empty = [message.id for message in catalogue(language) if not message.string or not all(message.string)]
    assert empty == []


@pytest.mark.parametrize("host", [KRITA, GIMP], ids=["krita", "gimp"])
def test_an_assembled_plug_in_speaks_german_to_a_plain_python(host: Host, tmp_path: Path) -> None:
    (german,) = (message.string for message in catalogue("de") if message.id == "Stopping")
    with zipfile.ZipFile(zip_plugin(host, tmp_path)) as whole:
        whole.extract(f"{host.folder}/{ARCHIVE}", tmp_path)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / host.folder / ARCHIVE)!r})\n"
        "from acetate.plugins.bridge import translations\n"
        "translations.speak(['de_AT.UTF-8']); sys.stdout.buffer.write(translations._('Stopping').encode())"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, check=True)
    assert done.stdout.decode() == german != "Stopping"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_blanks_the_ends_and_the_plural_forms_of_the_original(language: str) -> None:
    wrong = [(message.id, told) for message in catalogue(language) for told in faults(message, language)]
    assert wrong == []


@pytest.mark.parametrize(
    ("original", "translation", "found"),
    [
        ("{name} is {value}", "{value} ist {name}", []),
        ("{name} is {value}", "{name} ist es", ["blanks"]),
        ("Insert…", "Einfügen…", []),
        ("Insert…", "Einfügen", ["ellipsis"]),
        ("Insert Layers...", "Einfügen …", []),
        ("Stop ", "Anhalten", ["ends"]),
        ("_Stop", "Anhalten", ["mnemonic"]),
        ("_Stop", "停止(_S)", []),
        ("Strengt_h", "St_ärke", []),
        ("S_eed", "Seed", ["mnemonic"]),
        (("{count} layer", "{count} layers"), ("eine Ebene", "{count} Ebenen"), []),
        (("{count} layer", "{count} layers"), ("{count} Ebene",), ["plural forms"]),
        (("{count} layer", "{count} layers"), ("{count} Ebene", "{zahl} Ebenen"), ["blanks"]),
    ],
)
def test_a_fault_of_a_translation_is_found(original: Key, translation: str | tuple[str, ...], found: list[str]) -> None:
    assert list(faults(Message(original, translation), "de")) == found


def catalogue(language: str) -> list[Message]:
    with (PLUGINS / "languages" / f"{language}.po").open("rb") as file:
        return [message for message in read_po(file, locale=language) if message.id]


def faults(message: Message, language: str) -> Iterator[str]:
    """What is wrong with a translation; nothing with one that is missing."""
    originals = message.id if isinstance(message.id, tuple) else (message.id,)
    given = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    if not any(given):
        return
    if len(originals) > 1 and len(given) != Catalog(locale=language).num_plurals:
        yield "plural forms"
    last, needed = originals[-1], set(BLANK.findall(originals[-1]))
    # A form for one number may say it in a word.
    if any(set(BLANK.findall(one)) not in (needed, needed - {"count"} if len(given) > 1 else needed) for one in given):
        yield "blanks"
    if any(one[:1].isspace() != last[:1].isspace() or one[-1:].isspace() != last[-1:].isspace() for one in given):
        yield "ends"
    if any(_goes_on(one) != _goes_on(last) for one in given):
        yield "ellipsis"
    if any(("_" in MNEMONIC.findall(one)) != ("_" in MNEMONIC.findall(last)) for one in given):
        yield "mnemonic"


def _goes_on(text: str) -> bool:
    """Whether it ends as what opens a window does; each language writes that its own way."""
    return text.endswith(("...", "…"))


def outside(code: str) -> Iterator[tuple[int, str]]:
    """Line and words of each text that looks as if people read it and is not given to the catalogue."""
    tree = ast.parse(code)
    within = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    for node in ast.walk(tree):
        text = _words(node)
        if text is None or text in NAMES or not _looks_visible(text, whole=isinstance(node, ast.Constant)):
            continue
        around = list(_around(node, within))
        if isinstance(around[0], (ast.Expr, ast.JoinedStr)) or any(_is_exempt(one) for one in around):
            continue
        yield node.lineno, text


def _words(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def _looks_visible(text: str, *, whole: bool) -> bool:
    """Several words, or one as it stands on a button; with blanks also a single word beside one."""
    if re.search(r"[A-Za-z]{2,}[,.:;]? [A-Za-z({]|[a-z]{2,}[.!?]$", text):
        return True
    return (
        bool(re.fullmatch(r"_?[A-Z][a-z_]+(…|\.\.\.|:)?", text))
        if whole
        else bool(re.search(r"\} [A-Za-z]+\b|[A-Z][a-z]+[:,] \{", text))
    )


def _around(node: ast.AST, within: dict[ast.AST, ast.AST]) -> Iterator[ast.AST]:
    while node in within:
        node = within[node]
        yield node


def _is_exempt(node: ast.AST) -> bool:
    if isinstance(node, (ast.Assert, ast.Subscript, ast.AnnAssign)) and not isinstance(node, ast.AnnAssign):
        return True
    if not isinstance(node, ast.Call):
        return False
    name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
    return name in IN_CATALOGUE or name in NOT_SHOWN
