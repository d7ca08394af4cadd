"use strict";
// Adds selection, filters, keys and links to a page that reads without it. All state is in the URL hash, so a link opens the same view.
(() => {
  const root = document.documentElement, body = document.body;
  const one = (what, where = document) => where.querySelector(what);
  const all = (what, where = document) => [...where.querySelectorAll(what)];
  const findings = all(".finding"), tabs = all("[role=tab]"), list = one("#list"), search = one("#q");
  const count = one("#count"), none = one("#none"), rules = one("#rules"), keys = one("#keys");
  const item = new Map(), text = new Map();
  for (const link of list ? all("a", list) : []) item.set(link.hash.slice(1), link.parentNode);
  const groups = list ? [...list.children] : [];
  const DEFAULT = { f: "", tab: "source", step: 0, q: "", off: [], patch: "", theme: "", all: "", by: "file" };
  let state = { ...DEFAULT };
  let shown = findings;
  let written = "", ready = false, typed = 0;

  root.classList.add("ready");

  // State and hash

  function read() {
    const hash = location.hash.slice(1);
    const next = { ...DEFAULT };
    if (hash.includes("=")) {
      for (const [key, value] of new URLSearchParams(hash)) if (Object.hasOwn(DEFAULT, key)) next[key] = value;
      next.step = parseInt(next.step, 10) || 0;
      next.off = next.off.length ? next.off.split(",") : [];
    } else if (hash.startsWith("rule-")) {
      Object.assign(next, state);
      const rule = document.getElementById(hash);
      if (rule) rule.open = true;
    } else if (hash) {
      Object.assign(next, state, { f: hash, step: 0 });
    }
    if (!tabs.some((tab) => tab.dataset.tab === next.tab)) next.tab = "source";
    if (!["file", "rule"].includes(next.by)) next.by = "file";
    return next;
  }

  function write() {
    const said = new URLSearchParams();
    for (const [key, value] of Object.entries(state)) {
      const text = Array.isArray(value) ? value.join(",") : String(value);
      if (text !== String(DEFAULT[key])) said.set(key, text);
    }
    const hash = said.toString();
    if (hash === location.hash.slice(1)) return;
    written = hash;
    try {
      history.replaceState(null, "", hash ? "#" + hash : location.pathname + location.search);
    } catch {
      location.replace("#" + hash);
    }
  }

  function set(change) {
    const before = state;
    state = { ...state, ...change };
    draw(before);
    write();
  }

  // On a large page it is text until somebody opens it; then it gets what only a script needs.
  function fill(finding) {
    const box = one(".body", finding), kept = one("noscript", box);
    if (box.dataset.full) return;
    box.dataset.full = "1";
    if (kept) kept.outerHTML = kept.textContent;
    let path = "";
    for (const seg of all(".seg", box)) {
      path = one(".head .dim", seg)?.textContent || path;
      let line = "";
      for (const p of all(".src p", seg)) {
        if (p.matches(".s")) {
          p.dataset.n = one("b", p).textContent;
          p.dataset.p = one("code", p)?.textContent || path + ":" + line;
        } else line = one("i", p)?.textContent.replace(/^[+-]/, "");
      }
    }
    const own = one(".at code", finding).textContent.replace(/:\d+:\d+$/, ":");
    all(".lanes tbody tr:not(.z)", box).forEach((row, at) => {
      const place = one("code", row);
      row.dataset.n = at + 1;
      if (place) row.dataset.p = place.textContent.replace(/^line /, own);
    });
    for (const scroll of all(".scroll", box)) {
      scroll.tabIndex = 0;
      attributes(scroll, { role: "group", "aria-label": one("h4", scroll.closest(".panel")).textContent });
    }
  }

  function attributes(what, said) {
    for (const [key, value] of Object.entries(said)) what.setAttribute(key, value);
    return what;
  }

  // Drawing

  function draw(before) {
    if (state.theme) root.dataset.theme = state.theme;
    else delete root.dataset.theme;
    const dark = state.theme ? state.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    one("#theme").textContent = dark ? "Light" : "Dark";
    if (!findings.length) return;
    if (before.by !== state.by) regroup();
    if (!ready || before.q !== state.q || before.patch !== state.patch || String(before.off) !== String(state.off)) filter();
    drawFinding(before);
  }

  function drawFinding(before) {
    let here = findings.find((finding) => finding.id === state.f);
    if (!here || !shown.includes(here)) {
      here = shown[0];
      if (state.f) state.step = 0;
      state.f = here ? here.id : "";
    }
    body.classList.toggle("all", state.all === "1");
    one("#all").setAttribute("aria-pressed", state.all === "1");
    for (const finding of all(".finding.on")) if (finding !== here) finding.classList.remove("on");
    for (const link of all("a[aria-current]", list)) link.removeAttribute("aria-current");
    if (here) fill(here);
    for (const tab of tabs) tab.disabled = !here || !one(`.panel[data-tab=${tab.dataset.tab}]`, here);
    const name = tabs.find((tab) => tab.dataset.tab === state.tab && !tab.disabled) ? state.tab : "source";
    for (const tab of tabs) {
      const on = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", on);
      tab.tabIndex = on ? 0 : -1;
    }
    none.hidden = shown.length > 0;
    if (before.all !== state.all) for (const finding of findings) state.all ? seen.observe(finding) : seen.unobserve(finding);
    if (!here) return;
    here.classList.add("on");
    one(".body", here).open = true;
    for (const panel of all(".panel", here)) {
      panel.classList.toggle("on", panel.dataset.tab === name);
      attributes(panel, { role: state.all === "1" ? "group" : "tabpanel", "aria-labelledby": "tab-" + panel.dataset.tab });
    }
    home();
    if (name === "rule" && state.all !== "1") borrow(here);
    const link = one("a", item.get(here.id));
    link.setAttribute("aria-current", "true");
    for (const other of all("a[tabindex='0']", list)) other.tabIndex = -1;
    link.tabIndex = 0;
    if (before.f !== state.f || before.by !== state.by) link.scrollIntoView({ block: "nearest" });
    if (state.all === "1" && before.f !== state.f && ready) here.scrollIntoView({ block: "start" });
    mark(here, name);
    copyable(here);
  }

  // Those that come into view are filled; on paper all are.
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting && state.all === "1") open(entry.target);
  }, { rootMargin: "100%" });

  function open(finding) {
    fill(finding);
    one(".body", finding).open = true;
    arrows(finding);
  }

  // The rule of the finding is shown in its tab: there is one copy, it moves.
  function borrow(here) {
    const rule = document.getElementById("rule-" + here.dataset.rule);
    if (!rule) return;
    one(".panel[data-tab=rule]", here).append(rule);
    rule.open = true;
  }

  function home() {
    if (rules) for (const rule of all(".finding details.rule")) rules.append(rule);
  }

  // The marked step, and what stands for the same line in the other views.
  function mark(here, name) {
    for (const old of all(".sel")) old.classList.remove("sel");
    const panel = one(`.panel[data-tab=${name}]`, here);
    if (name === "timeline") tell(panel);
    arrows(here);
    if (!state.step) return;
    const same = panel ? all(`[data-n="${state.step}"]`, panel) : [];
    if (!same.length) return;
    const places = new Set(same.map((step) => step.dataset.p).filter(Boolean));
    for (const step of all("[data-p]", here)) if (places.has(step.dataset.p) && !panel.contains(step)) step.classList.add("sel");
    for (const step of same) step.classList.add("sel");
    const seen = same.find((step) => step.getClientRects().length) || same[0];
    seen.scrollIntoView({ block: "nearest" });
    say(same[same.length - 1].textContent);
  }

  // What every thing of the interleaving was before the marked step and is after it.
  function tell(panel) {
    for (const old of all(".state", panel)) old.remove();
    const here = one(`tr[data-n="${state.step}"]`, panel);
    if (!here) return;
    const table = document.createElement("table");
    table.className = "state";
    table.createCaption().textContent = "Step " + here.cells[0].textContent;
    const add = (name, cells, mark) => {
      const row = table.insertRow();
      row.className = mark;
      for (const text of cells) row.appendChild(document.createElement(name)).textContent = text;
    };
    add("th", ["", "before", "after"], "");
    const rows = all("tbody tr", panel), last = rows.indexOf(here);
    for (const head of all(".lanes th.t", panel)) {
      let before = "", after = "";
      rows.slice(0, last + 1).forEach((row, at) => {
        const cell = row.cells[head.cellIndex], own = cell?.matches(":not(.c)") ? (cell.lastChild?.data || "").trim() : "";
        const [was, now] = own.includes(" → ") ? own.split(" → ") : [after, own];
        before = at === last ? was : before;
        after = now || after;
      });
      add("td", [head.textContent, before, after], before === after ? "" : "now");
    }
    one(".pic", panel).before(table);
  }

  // Arrows from what made a step possible to that step, beside the columns.
  function arrows(panel) {
    const table = one(".lanes", panel);
    for (const old of all(".arrows", panel)) old.remove();
    if (!table) return;
    const make = (name, parent, said) => parent.appendChild(attributes(document.createElementNS(one("svg.defs").namespaceURI, name), said));
    const rows = new Map(all("tbody tr:not(.z)", table).map((row) => [row.cells[0].textContent.split("-")[0], row]));
    const picture = make("svg", table.parentNode, { class: "arrows", width: table.offsetWidth, height: table.offsetHeight, "aria-hidden": "true" });
    for (const row of rows.values()) {
      const to = one(".c", row), cause = rows.get(/↳ after (\d+)$/.exec(to.textContent)?.[1]);
      if (!cause) continue;
      const from = one(".c", cause);
      const right = to.cellIndex > from.cellIndex, same = to.cellIndex === from.cellIndex;
      const y1 = from.offsetTop + from.offsetHeight / 2, y2 = to.offsetTop + to.offsetHeight / 2;
      const x1 = from.offsetLeft + (right ? from.offsetWidth : 0), x2 = to.offsetLeft + (right || same ? 0 : to.offsetWidth);
      const out = right ? 6 : -6, tip = right || same ? -5 : 5;
      make("path", picture, { d: `M${x1} ${y1}h${out}V${y2}H${x2}m${tip} -3l${-tip} 3l${tip} 3` });
    }
  }

  function say(words) {
    if (!count) return;
    count.textContent = `${shown.length} of ${findings.length} findings.`;
    one("#said").textContent = words;
  }

  // Filters

  function words(finding) {
    if (!text.has(finding)) {
      text.set(finding, [...finding.children].map((part) => (part.tagName === "DETAILS" ? "" : part.textContent)).join(" ").toLowerCase());
    }
    return text.get(finding);
  }

  // A finding that one row of buttons alone hides counts on the buttons of that row.
  function filter() {
    const asked = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    const fields = all("fieldset[data-key]").map((field) => ({ key: field.dataset.key, buttons: all("button", field), counts: {} }));
    const off = new Set(state.off);
    shown = [];
    for (const finding of findings) {
      const data = finding.dataset;
      const good = (!state.patch || data.patch === state.patch || data.until === state.patch) && asked.every((word) => words(finding).includes(word));
      const hiding = good ? fields.filter((field) => off.has(field.key + "." + data[field.key])) : fields;
      const see = good && !hiding.length;
      if (see) shown.push(finding);
      if (finding.hidden === see) finding.hidden = item.get(finding.id).hidden = !see;
      for (const field of see ? fields : hiding.length === 1 && good ? hiding : []) field.counts[data[field.key]] = (field.counts[data[field.key]] || 0) + 1;
    }
    for (const head of all("h2", list)) head.hidden = !one("li:not([hidden])", head.nextElementSibling);
    for (const { key, buttons, counts } of fields) {
      for (const button of buttons) {
        one(".count", button).textContent = counts[button.dataset.value] || 0;
        button.setAttribute("aria-pressed", !off.has(key + "." + button.dataset.value));
      }
    }
    for (const cell of all(".strip button")) cell.setAttribute("aria-pressed", cell.dataset.patch === state.patch);
    if (!typed) search.value = state.q;
    inOrder();
    say("");
  }

  // In the order of the list, which next and previous follow.
  function inOrder() {
    const place = new Map(all("a", list).map((link, at) => [link.hash.slice(1), at]));
    shown.sort((a, b) => place.get(a.id) - place.get(b.id));
  }

  function regroup() {
    one("#by").value = state.by;
    list.replaceChildren();
    if (state.by === "file") {
      list.append(...groups);
      for (const finding of findings) item.get(finding.id).home.append(item.get(finding.id));
    } else {
      const made = new Map();
      for (const finding of findings) {
        if (!made.has(finding.dataset.rule)) made.set(finding.dataset.rule, document.createElement("ul"));
        made.get(finding.dataset.rule).append(item.get(finding.id));
      }
      for (const rule of [...made.keys()].sort()) {
        const head = document.createElement("h2");
        head.textContent = rule;
        list.append(head, made.get(rule));
      }
    }
    filter();
  }

  // Moves

  function move(by) {
    if (!shown.length) return;
    const at = shown.findIndex((finding) => finding.id === state.f);
    set({ f: shown[Math.min(shown.length - 1, Math.max(0, at + by))].id, step: 0 });
  }

  function step(by) {
    const here = one(".finding.on");
    if (!here) return;
    const name = one("[role=tab][aria-selected=true]").dataset.tab;
    const numbers = all("[data-n]", one(`.panel[data-tab=${name}]`, here)).map((step) => Number(step.dataset.n));
    const most = Math.max(0, ...numbers);
    if (most) set({ step: Math.min(most, Math.max(1, state.step + by)) });
  }

  function patch(by) {
    const cells = all(".strip button").map((cell) => cell.dataset.patch);
    const places = ["", ...cells];
    if (cells.length) set({ patch: places[Math.min(places.length - 1, Math.max(0, places.indexOf(state.patch) + by))] });
  }

  function toggle(key) {
    set({ off: state.off.includes(key) ? state.off.filter((one) => one !== key) : [...state.off, key] });
  }

  function copy(words, button) {
    const done = () => {
      if (button) {
        const label = button.textContent;
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = label === "Copied" ? "Copy" : label; }, 1200);
      }
      say("Copied.");
    };
    const plain = () => {
      const area = document.createElement("textarea");
      area.value = words;
      body.append(area);
      area.select();
      const good = document.execCommand("copy");
      area.remove();
      if (good) done();
      else say(words);
    };
    if (navigator.clipboard) navigator.clipboard.writeText(words).then(done, plain);
    else plain();
  }

  function copyable(where) {
    for (const box of all(".copy", where)) {
      if (one("button", box)) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "Copy";
      button.addEventListener("click", () => copy(one("code, pre", box).textContent.replace(/^\t+/gm, (tabs) => " ".repeat(8 * tabs.length)), button));
      box.append(button);
    }
  }

  function clear() {
    set({ q: "", off: [], patch: "", step: 0, all: "" });
  }

  // Events

  const ACTIONS = {
    j: () => move(1), k: () => move(-1), n: () => step(1), p: () => step(-1), "[": () => patch(-1), "]": () => patch(1),
    "/": () => search && search.focus(), x: () => set({ all: state.all ? "" : "1" }), y: () => copy(location.href, one("#link")),
    t: () => set({ theme: one("#theme").textContent.toLowerCase() }), "?": () => keys.showModal(), Escape: clear,
  };
  tabs.forEach((tab, at) => { ACTIONS[at + 1] = () => tab.disabled || set({ tab: tab.dataset.tab, step: 0 }); });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || keys.open) return;
    const typing = event.target.matches("input, select, textarea");
    if (typing && event.key === "Escape") {
      event.target.blur();
      search.value = "";
      set({ q: "" });
    }
    if (typing || !(event.key in ACTIONS) || (!findings.length && !"t?".includes(event.key))) return;
    event.preventDefault();
    ACTIONS[event.key]();
  });

  // Arrow keys within the list and the tabs: one of each is in the order of Tab.
  function roving(box, what, go) {
    box.addEventListener("keydown", (event) => {
      const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (!by || !event.target.matches(what)) return;
      event.preventDefault();
      go(by, event.target);
    });
  }

  const press = (id, action) => one("#" + id).addEventListener("click", action);
  press("theme", ACTIONS.t);
  press("help", () => keys.showModal());
  press("close", () => keys.close());
  copyable(one("header"));
  if (findings.length) {
    for (const li of item.values()) li.home = li.parentNode;
    press("next", () => move(1));
    press("prev", () => move(-1));
    press("step", () => step(1));
    press("stepback", () => step(-1));
    press("all", ACTIONS.x);
    press("link", ACTIONS.y);
    press("clear", clear);
    for (const tab of tabs) tab.addEventListener("click", ACTIONS[tabs.indexOf(tab) + 1]);
    for (const cell of all(".strip button")) cell.addEventListener("click", () => set({ patch: cell.dataset.patch === state.patch ? "" : cell.dataset.patch }));
    for (const button of all("fieldset button")) button.addEventListener("click", () => toggle(button.parentNode.dataset.key + "." + button.dataset.value));
    // The letter is painted first.
    search.addEventListener("input", () => {
      typed ||= requestAnimationFrame(() => setTimeout(() => { typed = 0; set({ q: search.value }); }));
    });
    one("#by").addEventListener("change", () => set({ by: one("#by").value }));
    list.addEventListener("click", (event) => {
      const link = event.target.closest("a");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      set({ f: link.hash.slice(1), step: 0 });
    });
    roving(list, "a", (by) => {
      move(by);
      one("a[aria-current]", list).focus();
    });
    roving(one("[role=tablist]"), "[role=tab]", (by, from) => {
      const open = tabs.filter((tab) => !tab.disabled);
      const tab = open[(open.indexOf(from) + by + open.length) % open.length];
      tab.click();
      tab.focus();
    });
    one("main").addEventListener("click", (event) => {
      const row = event.target.closest("[data-n]");
      const link = event.target.closest("a[href^='#rule-']");
      const finding = event.target.closest(".finding");
      if (link && finding && state.all !== "1") {
        event.preventDefault();
        set({ f: finding.id, tab: "rule" });
      } else if (row && finding && !String(getSelection())) {
        set({ f: finding.id, tab: state.all ? state.tab : row.closest(".panel").dataset.tab, step: Number(row.dataset.n) });
      }
    });
    for (const link of all("a", list)) link.tabIndex = -1;
    addEventListener("beforeprint", () => { home(); findings.forEach(open); });
    addEventListener("resize", () => { if (one(".finding.on")) arrows(one(".finding.on")); });
  }
  addEventListener("hashchange", () => {
    if (location.hash.slice(1) === written) return;
    const before = state;
    state = read();
    draw(before);
  });
  if (matchMedia("(max-width: 60rem)").matches) for (const box of all("#more, .run")) box.open = false;
  state = read();
  draw(DEFAULT);
  ready = true;
})();
