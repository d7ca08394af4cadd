"""What is done to pages, their mappings and page tables becomes this. See the event table."""

from __future__ import annotations

from tlblint.crosscheck.subjects import attrs, objects
from tlblint.crosscheck.translate import Translator
from tlblint.model.finding import PathEvent


def _page_of(t: Translator, e: PathEvent) -> str | None:
    """The number of the page that an event is about, None for one that no entry of the path maps."""
    home = t.homes.get(objects(e).get("value", ""))
    if home is not None:
        return t.need_page(home)
    return None


def page_dirty(t: Translator, e: PathEvent, act: bool) -> None:
    if t.marked:
        return  # done already, where it was asked whether the entry was dirty
    home = t.homes.get(objects(e).get("value", ""), t.subjects.vas[-1] if t.subjects.vas else "a")
    t.emit(f"set_dirty({t.need_page(home)})", e)
    t.owed.dirty.pop(home, None)


def page_get(t: Translator, e: PathEvent, act: bool) -> None:
    page = _page_of(t, e)
    if page is not None:
        t.held_pages.add(page)
        t.emit(f"get_page({page})", e)


def page_free(t: Translator, e: PathEvent, act: bool) -> None:
    page = _page_of(t, e)
    words = attrs(e)
    if "last" in words:
        t.emit("if mine: put_page(1)" if "vu" in t.modes else "free_page(1)", e)
        return
    if page is None and not act and "extra" not in words:
        page = "1" if any(f.kind == "rmap.drop" for f in t.events) and t.shape.kinds and t.events[t.origin] is e else None
    if page is None or ("extra" in words and page not in t.held_pages):
        return
    t.uses.add("page")
    t.emit(f"{_if_owned(t, e, page)}put_page({page})", e)


def _if_owned(t: Translator, e: PathEvent, page: str) -> str:
    """A mapping's reference is the path's to give back only if it took the mapping."""
    value = objects(e).get("value", "")
    taken = t.taken.get(t.homes.get(value, ""), "")
    return f"if {t.registers[taken]}.P and {t.registers[taken]}.pfn == {page}: " if taken and page not in t.held_pages else ""


def page_copy(t: Translator, e: PathEvent, act: bool) -> None:
    t.emit(f"copy_page({_page_of(t, e) or '1'})", e)


def page_defer(t: Translator, e: PathEvent, act: bool) -> None:
    page = _page_of(t, e)
    if page is not None:
        t.owed.pages.append(f"{_if_owned(t, e, page)}put_page({page})")


def rmap_drop(t: Translator, e: PathEvent, act: bool) -> None:
    page = _page_of(t, e)
    if page is None and act:
        page = "1"
    if page is not None and act:
        t.emit(f"fail_if(free[{page}], uaf-store); rmap_del({page})", e)


def table_free(t: Translator, e: PathEvent, act: bool) -> None:
    t.uses.add("tables")
    if "deferred" in attrs(e):
        t.modes.add("ft")
        t.owed.tables = True
        t.emit("ft = 1", e)
        return
    t.emit("free_table(T)", e)
