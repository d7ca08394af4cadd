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
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const DEFAULT = { f: "", tab: "source", step: 0, q: "", off: [], patch: "", theme: "", all: "", by: "file" };
  let state = { ...DEFAULT };
  let shown = findings;
  let written = "", ready = false;

  root.classList.add("ready");

  // State and hash

  function read() {
    const hash = location.hash.slice(1);
    const next = { ...DEFAULT };
    if (hash.includes("=")) {
      const said = new URLSearchParams(hash);
      for (const key of Object.keys(DEFAULT)) if (said.has(key)) next[key] = said.get(key);
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
    one("#all").setAttribute("aria-pressed", String(state.all === "1"));
    for (const finding of all(".finding.on")) if (finding !== here) finding.classList.remove("on");
    for (const link of all("a[aria-current]", list)) link.removeAttribute("aria-current");
    for (const tab of tabs) tab.disabled = !here || !one(`.panel[data-tab=${tab.dataset.tab}]`, here);
    const name = tabs.find((tab) => tab.dataset.tab === state.tab && !tab.disabled) ? state.tab : "source";
    for (const tab of tabs) {
      const on = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
    }
    none.hidden = shown.length > 0;
    if (state.all === "1") expand(true);
    if (!here) return;
    here.classList.add("on");
    one(".body", here).open = true;
    for (const panel of all(".panel", here)) {
      panel.classList.toggle("on", panel.dataset.tab === name);
      panel.setAttribute("role", state.all === "1" ? "group" : "tabpanel");
      panel.setAttribute("aria-labelledby", "tab-" + panel.dataset.tab);
    }
    home();
    if (name === "rule" && state.all !== "1") borrow(here);
    const link = one("a", item.get(here.id));
    link.setAttribute("aria-current", "true");
    for (const other of all("a[tabindex='0']", list)) other.tabIndex = -1;
    link.tabIndex = 0;
    if (before.f !== state.f || before.by !== state.by) near(link);
    if (state.all === "1" && before.f !== state.f && ready) here.scrollIntoView({ block: "start" });
    mark(here, name);
    copyable(here);
  }

  function expand(open) {
    for (const finding of shown) {
      one(".body", finding).open = open;
      for (const inner of all("details.list", finding)) inner.open = open;
    }
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
    if (!state.step) return;
    const same = panel ? all(`[data-n="${state.step}"]`, panel) : [];
    if (!same.length) return;
    const places = new Set(same.map((step) => step.dataset.p).filter(Boolean));
    for (const step of all("[data-p]", here)) if (places.has(step.dataset.p) && !panel.contains(step)) step.classList.add("sel");
    for (const step of same) step.classList.add("sel");
    const seen = same.find((step) => step.getClientRects().length) || same[0];
    seen.scrollIntoView({ block: "nearest", behavior: still.matches || !ready ? "auto" : "smooth" });
    say(same[same.length - 1].textContent);
  }

  // What every thing of the interleaving was before the marked step and is after it.
  function tell(panel) {
    const rows = all("li[data-n]", panel), things = new Map();
    for (const old of all(".state", panel)) old.remove();
    if (!rows.length || !state.step) return;
    for (const row of rows) {
      const at = Number(row.dataset.n);
      for (const change of all(".c", row)) {
        const [thing, before, after] = [...change.children].map((part) => part.textContent);
        if (!things.has(thing)) things.set(thing, [before, before, ""]);
        if (at < state.step) things.set(thing, [after, after, ""]);
        if (at === state.step) things.set(thing, [things.get(thing)[0], after, "now"]);
      }
    }
    const table = document.createElement("table");
    table.className = "state";
    table.createCaption().textContent = "Step " + one(`li[data-n="${state.step}"]`, panel).textContent.split(".")[0];
    const add = (name, cells, mark) => {
      const row = table.insertRow();
      row.className = mark;
      for (const text of cells) row.appendChild(document.createElement(name)).textContent = text;
    };
    add("th", ["", "before", "after"], "");
    for (const [thing, [before, after, mark]] of things) add("td", [thing, before, after], mark);
    one("details.list", panel).before(table);
  }

  function say(words) {
    if (!count) return;
    count.textContent = `${shown.length} of ${findings.length} findings.`;
    one("#said").textContent = words;
  }

  function near(link) {
    const box = one("#list");
    if (box.scrollHeight > box.clientHeight || getComputedStyle(one("nav")).overflowY !== "visible") link.scrollIntoView({ block: "nearest" });
  }

  // Filters

  function words(finding) {
    if (!text.has(finding)) {
      text.set(finding, [...finding.children].map((part) => (part.tagName === "DETAILS" ? "" : part.textContent)).join(" ").toLowerCase());
    }
    return text.get(finding);
  }

  function passes(finding, asked, skip) {
    const data = finding.dataset;
    if (state.patch && data.patch !== state.patch && data.until !== state.patch) return false;
    for (const off of state.off) {
      const [key, value] = off.split(".");
      if (key !== skip && data[key] === value) return false;
    }
    return asked.every((word) => words(finding).includes(word));
  }

  function filter() {
    const asked = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    shown = [];
    for (const finding of findings) {
      const good = passes(finding, asked, "");
      finding.hidden = !good;
      item.get(finding.id).hidden = !good;
      if (good) shown.push(finding);
    }
    for (const head of all("h2", list)) head.hidden = !all("li:not([hidden])", head.nextElementSibling).length;
    for (const field of all("fieldset[data-key]")) {
      const counts = {};
      for (const finding of findings) if (passes(finding, asked, field.dataset.key)) counts[finding.dataset[field.dataset.key]] = (counts[finding.dataset[field.dataset.key]] || 0) + 1;
      for (const button of all("button", field)) {
        one(".count", button).textContent = counts[button.dataset.value] || 0;
        button.setAttribute("aria-pressed", String(!state.off.includes(field.dataset.key + "." + button.dataset.value)));
      }
    }
    for (const cell of all(".strip button")) cell.setAttribute("aria-pressed", String(cell.dataset.patch === state.patch));
    if (search.value !== state.q) search.value = state.q;
    inOrder();
    say("");
  }

  // Findings in the order of the list: next and previous follow what is seen.
  function inOrder() {
    const place = new Map(all("a", list).map((link, at) => [link.hash.slice(1), at]));
    shown.sort((a, b) => place.get(a.id) - place.get(b.id));
  }

  function regroup() {
    one("#by").value = state.by;
    list.replaceChildren();
    if (state.by === "file") {
      for (const part of groups) list.append(part);
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

  function theme() {
    set({ theme: one("#theme").textContent.toLowerCase() });
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
      button.addEventListener("click", () => copy(one("code, pre", box).textContent, button));
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
    t: theme, "?": () => keys.showModal(), Escape: clear,
  };
  tabs.forEach((tab, at) => { ACTIONS[at + 1] = () => tab.disabled || set({ tab: tab.dataset.tab, step: 0 }); });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || keys.open) return;
    const typing = event.target.matches("input, select, textarea");
    if (typing && event.key === "Escape") {
      event.target.blur();
      set({ q: "" });
    }
    if (typing || !(event.key in ACTIONS) || (!findings.length && !"t?".includes(event.key))) return;
    event.preventDefault();
    ACTIONS[event.key]();
  });

  // Arrows within the list and within the tabs: only one of each is in the order of Tab.
  function roving(box, what, go) {
    box.addEventListener("keydown", (event) => {
      const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (!by || !event.target.matches(what)) return;
      event.preventDefault();
      go(by, event.target);
    });
  }

  const press = (id, action) => one("#" + id).addEventListener("click", action);
  press("theme", theme);
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
    search.addEventListener("input", () => set({ q: search.value }));
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
    addEventListener("beforeprint", () => { home(); for (const finding of findings) one(".body", finding).open = true; });
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
