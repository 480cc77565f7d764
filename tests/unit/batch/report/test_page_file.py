"""The page as a file: complete, closed to the network, and inert whatever is written in it."""

import base64
import hashlib
import re
from importlib.resources import files
from pathlib import Path

from batch.report.page_texts import load_page_texts
from tests.results import Line, plain_lines

from .conftest import MadePage

HOSTILE = "</script><script>alert(1)</script><!-- \"'&<img src=x onerror=alert(2)>]]>${title}"


def _sources() -> dict[str, str]:
    folder = files("batch.report").joinpath("page")
    return {each.name: each.read_text(encoding="utf-8") for each in folder.iterdir()}


def test_the_page_loads_nothing(made: MadePage) -> None:
    """No element of the file has an address, and the policy allows none."""
    assert made.page.addresses == []
    assert "default-src 'none'" in made.page.policy
    assert "unsafe" not in made.page.policy


def test_the_policy_allows_the_pages_own_script_and_style_alone(made: MadePage) -> None:
    """The digests of the policy are those of the one script that runs and the one style sheet."""
    allowed = re.findall(r"(script|style)-src '(sha256-[^']+)'", made.page.policy)
    texts = {"script": made.page.scripts["module"], "style": made.page.texts["style"]}
    digests = {name: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for name, text in texts.items()}
    assert dict(allowed) == {name: f"sha256-{digest}" for name, digest in digests.items()}


def test_names_and_titles_cannot_become_markup(made: MadePage, tmp_path: Path) -> None:
    """A page about hostile names has the elements of any other page, and its title says what was given."""
    lines: list[Line] = plain_lines()[:2]
    lines[0]["model"] = HOSTILE
    lines[1]["request"]["hardware"]["gpu"] = HOSTILE
    other = MadePage(lines, tmp_path, title=HOSTILE)
    assert other.page.elements == made.page.elements
    assert other.page.texts["title"] == other.page.texts["h1"] == HOSTILE
    assert other.matrix.head["rows"][0]["label"] == HOSTILE


def test_every_part_of_the_page_is_in_it(made: MadePage) -> None:
    """No script or style sheet lies in the folder without being part of the page."""
    for name, text in _sources().items():
        if name.endswith(".js"):
            assert text in made.page.scripts["module"]
        elif name.endswith(".css"):
            assert text in made.page.texts["style"]


def test_scripts_never_read_text_as_markup_or_code() -> None:
    """None of the ways in which a browser makes markup or code of text is used."""
    ways = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|setHTML|createContextualFragment"
    )
    assert not [name for name, text in _sources().items() if re.search(ways, text)]


def test_every_text_that_scripts_name_is_there_and_every_text_is_named() -> None:
    """Names written in full exist, and a text that nothing names, in full or by its beginning, is one too many."""
    scripts = "\n".join(text for name, text in _sources().items() if name.endswith(".js"))
    texts = load_page_texts()
    named = set(re.findall(r'say\(\s*"([^"$]+)"', scripts)) | set(
        re.findall(r'"((?:how|matrix|value|panel)\.[a-z_]+)"', scripts)
    )
    beginnings = tuple(re.findall(r"(?:say|has)\(\s*`([^`$]+)\$", scripts))
    assert named <= set(texts)
    assert not [name for name in texts if name not in named and not name.startswith(beginnings)]


def test_texts_have_the_same_places_in_both_languages() -> None:
    """What one language fills in the other does too, and no text is empty."""
    for name, text in load_page_texts().items():
        assert isinstance(text, dict), name
        places = [sorted(re.findall(r"\{(\w+)\}", str(text[locale]))) for locale in ("en", "zh")]
        assert places[0] == places[1], name


def test_all_that_is_not_a_name_of_its_own_is_translated() -> None:
    """A text that is the same in both languages has no word of English but units and names."""
    words = {"GiB", "GPU", "weighbridge"}
    for name, text in load_page_texts().items():
        assert isinstance(text, dict), name
        plain = re.sub(r"\{\w+\}", "", str(text["zh"]))
        if not re.search(r"[\u4e00-\u9fff]", plain):
            assert set(re.findall(r"[A-Za-z]+", plain)) <= words, name
