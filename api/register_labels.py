"""Labels to print and stick on: a page of QR codes, each leading to one piece of equipment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import segno

MOST = 600
"""Labels on one document."""

_STYLE = """
@page { size: A4; margin: 10mm; }
* { box-sizing: border-box; }
body { margin: 0; font-family: "Noto Sans SC", "Microsoft YaHei", "PingFang SC", sans-serif;
  color: #000; background: #fff; }
ul { display: grid; grid-template-columns: repeat(3, 1fr); gap: 3mm; margin: 0; padding: 0;
  list-style: none; }
li { display: grid; grid-template-columns: 26mm minmax(0, 1fr); gap: 2.5mm; align-items: center;
  height: 32mm; padding: 2.5mm; border: 0.2mm dashed #999; border-radius: 1.5mm;
  break-inside: avoid; overflow: hidden; }
svg { display: block; width: 26mm; height: 26mm; }
b, span, small { display: block; overflow-wrap: anywhere; }
b { font-size: 11pt; line-height: 1.25; max-height: 3.75em; overflow: hidden; }
span { font-size: 9pt; }
small { font-size: 8pt; font-family: monospace; }
@media screen { body { max-width: 210mm; margin: 0 auto; padding: 10mm; } }
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    equipment: str
    name: str
    area: str
    url: str


def page(labels: Sequence[Label], title: str) -> str:
    """A document that prints three labels side by side on A4, whole ones on every sheet."""
    items = "\n".join(_item(one) for one in labels)
    return (
        f'<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><ul>\n{items}\n</ul></body></html>\n"
    )


def _item(label: Label) -> str:
    # Dirt and scratches: a quarter of a code may be gone.
    code = segno.make(label.url, error="q", micro=False)
    drawn = code.svg_inline(border=2, omitsize=True, svgclass=None, lineclass=None)
    return (
        f"<li>{drawn}<div><b>{escape(label.name)}</b><span>{escape(label.area)}</span>"
        f"<small>{escape(label.equipment)}</small></div></li>"
    )
