"""A strict reader of our pages: every element closed where it has to be, in order, nothing where it may not stand."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

VOID = {"meta", "input", "br", "img", "link", "hr"}
ENDS = {
    "p": ("p", "div", "ul", "ol", "dl", "pre", "details", "section", "article", "table", "h2", "h3", "h4"),
    "li": ("li",), "dt": ("dt", "dd"), "dd": ("dt", "dd"),
    "td": ("td", "th", "tr", "tbody"), "th": ("td", "th", "tr", "tbody"), "tr": ("tr", "tbody"), "thead": ("tbody",), "tbody": (),
}  # fmt: skip
"""Elements whose end tag may be left out, and what ends them besides the end of what they are in, as HTML has it."""
BLOCKS = {"p", "div", "ul", "ol", "dl", "pre", "details", "section", "article", "header", "nav", "main", "fieldset", "h1", "h2", "h3", "h4"}


class Page(HTMLParser):
    """What is in a page. ``problems`` are sentences; ``attributes`` (element, name, value) in order; ``inside`` the text of script and style."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[str] = []
        self.problems: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.elements: Counter[str] = Counter()
        self.inside: dict[str, str] = {}
        self.text: list[str] = []
        self.comments: list[str] = []
        self.feed(text)
        self.close()
        self.problems += [f"<{name}> is not closed" for name in self.stack]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        names = [name for name, _ in attrs]
        self.problems += [f"<{tag}> has two {name}" for name, count in Counter(names).items() if count > 1]
        while self.stack and tag in ENDS.get(self.stack[-1], ()):
            self.stack.pop()
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag in BLOCKS and "p" in self.stack:
            self.problems.append(f"<{tag}> in <p>")
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.stack and self.stack[-1] != tag and self.stack[-1] in ENDS:
            self.stack.pop()
        if not self.stack or self.stack[-1] != tag:
            self.problems.append(f"</{tag}> closes {self.stack[-1:]}")
        else:
            self.stack.pop()

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1] in ("script", "style"):
            self.inside[self.stack[-1]] = self.inside.get(self.stack[-1], "") + data
        else:
            self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def values(self, name: str) -> list[str]:
        """The values of an attribute, in order."""
        return [value for _, attribute, value in self.attributes if attribute == name]
