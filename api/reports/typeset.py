"""A template and data → a PDF.

Data go in as one JSON text (``sys.inputs``), which a template shows as values: nothing of it is
ever markup. The font is the one that the product brings along; those of the machine are not
looked at, so a record looks the same everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

FOLDER = Path(__file__).parent


def typeset(template: str, data: Mapping[str, Any]) -> bytes:
    """The PDF of ``template`` (the name of a file here, without ``.typ``) with ``data``.

    It works for some 100 ms and blocks: call it in a thread.
    """
    return _compiled(template, data, "pdf")


def in_words(template: str, data: Mapping[str, Any]) -> str:
    """What the same would say, as HTML: for tests."""
    return _compiled(template, data, "html").decode()


def _compiled(template: str, data: Mapping[str, Any], form: str) -> bytes:
    # Large, and of no use before somebody prints.
    import typst
    from pylopdf_fonts_zh_cn import sans_path

    made = typst.compile(
        FOLDER / f"{template}.typ",
        root=FOLDER,
        format=form,
        font_paths=[sans_path().parent],
        ignore_system_fonts=True,
        sys_inputs={"data": orjson.dumps(data).decode()},
    )
    assert isinstance(made, bytes)
    return made
