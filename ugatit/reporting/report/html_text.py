"""HTML that cannot be broken by what it shows: every text is escaped unless it is HTML already."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

VOID = frozenset({"img", "br", "hr"})
"""Elements without an end."""


class Html(str):
    """Text that is HTML."""

    __slots__ = ()


def element(name: str, *content: str, **attributes: str) -> Html:
    """An element; `class_` and the like lose their underscore, other underscores become hyphens."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(value)}"' for key, value in attributes.items()
    )
    start = f"<{name}{given}>"
    return Html(start if name in VOID else f"{start}{join(content)}</{name}>")


def join(parts: Iterable[str], separator: str = "") -> Html:
    """Texts and HTML in a row."""
    return Html(separator.join(part if isinstance(part, Html) else html.escape(part) for part in parts))


def table(
    header: Sequence[str], rows: Iterable[Sequence[str]], label: str, numeric: Iterable[int] = ()
) -> Html:
    """A table that scrolls by itself where the page is narrow; `numeric` columns are set to the right."""
    right = frozenset(numeric)

    def line(cells: Sequence[str], tag: str) -> Html:
        return element(
            "tr",
            *(
                element(tag, cell, **({"class_": "number"} if place in right else {}))
                for place, cell in enumerate(cells)
            ),
        )

    head = element("thead", line(header, "th"))
    body = element("tbody", *(line(cells, "td") for cells in rows))
    # What scrolls must be reachable with the keyboard, and so needs a name.
    return element(
        "div",
        element("table", head, body),
        class_="scroll",
        role="region",
        aria_label=label,
        tabindex="0",
    )
