"""What is wrong with the ways on foot of a site file."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.files.documents import Finding
from gateway.files.fields import instead
from gateway.site.document import SiteDocument


def walk_findings(content: SiteDocument) -> Iterator[Finding]:
    """What is wrong with ``walk`` of the site file."""
    if not content.walk:
        return
    areas = {area.id for area in content.areas}
    seen: set[frozenset[str]] = set()
    for at, said in enumerate(content.walk):
        for key, area in (("from", said.start), ("to", said.to)):
            if area not in areas:
                yield ("walk", at, key), f"there is no area {area!r}", instead(area, areas)
        ends = frozenset((said.start, said.to))
        if len(ends) == 1:
            yield ("walk", at, "to"), "is where it begins", "name another area"
        elif ends in seen:
            yield ("walk", at), "is there already: a way counts in both directions", "keep one"
        seen.add(ends)
