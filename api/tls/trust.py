"""The page on which a phone learns how to trust our authority: one document, no script, no asset.

It is read over plain HTTP by browsers of every age, before anything of ours is trusted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import segno

from api.tls.reading import Certificate

FILE = "dutyroom-ca.crt"
MIME = "application/x-x509-ca-cert"
"""By which Android and iOS know what it is; it is served as DER, so that the SHA-256 of the file is
the fingerprint."""
_WORDS: Mapping[str, Any] = json.loads(Path(__file__).with_name("trust.json").read_bytes())
_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #55606f; --line: #d5dae1; --page: #f4f6f8;
  --card: #fff; --accent: #0b6b74; --on: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf1; --soft: #a9b4c2; --line: #344152;
  --page: #131a23; --card: #1b2430; --accent: #2fa7b1; --on: #06181a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 46rem; padding: 1.25rem 1rem 3rem; background: var(--page);
  color: var(--ink); font: 1rem/1.6 "Noto Sans CJK SC", "Noto Sans SC", "PingFang SC",
  "Microsoft YaHei", sans-serif; }
header { display: flex; justify-content: space-between; gap: 1rem; align-items: baseline; }
h1 { font-size: 1.4rem; line-height: 1.3; margin: 0 0 .5rem; }
h2 { font-size: 1.05rem; margin: 0 0 .4rem; }
p { margin: 0 0 .6rem; }
a { color: var(--accent); }
section, details { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: 1rem; margin: .75rem 0; }
.two { display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; align-items: center; }
.two > div { flex: 1 1 16rem; min-width: 0; }
.code { flex: 0 0 auto !important; }
.code svg { display: block; width: 9.5rem; height: 9.5rem; background: #fff; border-radius: 4px; }
.soft { color: var(--soft); font-size: .9rem; }
.print { font: 1.05rem/1.7 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  margin: 0 0 .4rem; display: flex; flex-wrap: wrap; gap: 0 .75rem; }
.button { display: inline-block; padding: .7rem 1.4rem; border-radius: 6px; text-decoration: none;
  background: var(--accent); color: var(--on); font-weight: 600; }
summary { font-weight: 600; cursor: pointer; min-height: 1.6rem; }
ol { margin: .6rem 0 0; padding-left: 1.4rem; }
li { margin: .35rem 0; overflow-wrap: anywhere; }
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ways:
    """Addresses, as a phone in the network has them."""

    trust: str
    """This page, over plain HTTP."""
    page: str
    """The duty room, over HTTPS."""


def languages() -> tuple[str, ...]:
    return tuple(_WORDS)


def page(authority: Certificate, ways: Ways, *, language: str, device: str) -> str:
    """The document; ``device``: what the browser says of itself, by which one system is open."""
    words = _WORDS[language]
    other = next(name for name in _WORDS if name != language)
    system = _system(device)
    until = datetime.fromtimestamp(authority.ends / 1_000_000, UTC).strftime("%Y-%m-%d")
    steps = "".join(
        f"<details{' open' if one['id'] == system else ''}><summary>{escape(one['name'])}</summary>"
        f"<ol>{''.join(f'<li>{escape(step)}</li>' for step in one['steps'])}</ol></details>"
        for one in words["systems"]
    )
    return (
        f'<!doctype html>\n<html lang="{words["lang"]}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,">'
        f"<title>{escape(words['title'])} · dutyroom</title><style>{_STYLE}</style></head>\n<body>"
        f"<header><h1>{escape(words['title'])}</h1>"
        f'<a href="?lang={other}" lang="{_WORDS[other]["lang"]}">{escape(words["other"])}</a>'
        f"</header><p>{escape(words['why'])}</p>"
        f'<section><h2>{escape(words["compare"])}</h2><p class="print">{_print(authority)}</p>'
        f'<p class="soft">{escape(words["compare_how"])}</p>'
        f'<p class="soft">{escape(words["until"])} {until}</p>'
        f'<a class="button" href="/trust/{FILE}">{escape(words["download"])}</a></section>'
        f"{steps}"
        f'<section class="two"><div class="code">{_code(ways.trust)}</div>'
        f'<div><h2>{escape(words["then"])}</h2><p><a href="{escape(ways.page)}">'
        f'{escape(ways.page)}</a></p><p class="soft">{escape(words["scan"])}<br>'
        f"{escape(ways.trust)}</p></div></section>"
        f'<p class="soft">{escape(words["warning"])}</p></body></html>\n'
    )


def _print(authority: Certificate) -> str:
    """Four pairs at a time, which is what an eye keeps while it looks at the other one."""
    pairs = authority.fingerprint.split(":")
    groups = (":".join(pairs[at : at + 4]) for at in range(0, len(pairs), 4))
    return "".join(f"<span>{group}</span>" for group in groups)


def _code(url: str) -> str:
    drawn = segno.make(url, error="m", micro=False)
    return drawn.svg_inline(border=2, omitsize=True, svgclass=None, lineclass=None)


def _system(device: str) -> str:
    """The id of the system that a browser runs on, as far as it tells."""
    told = device.lower()
    for sign, system in (
        ("harmony", "harmony"),
        ("android", "android"),
        ("iphone", "ios"),
        ("ipad", "ios"),
        ("windows", "windows"),
    ):
        if sign in told:
            return system
    return "android"
