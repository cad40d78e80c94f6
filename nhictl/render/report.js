"use strict";
// Search, sort and filter what stands in the page. Nothing is fetched, stored or written as HTML.
(() => {
  const PAGE = 200;
  const MORE = 1000;
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const byId = (name) => document.getElementById(name);
  const make = (name, text) => Object.assign(document.createElement(name), { textContent: text });
  const number = (count) => count.toLocaleString("en");

  const tables = [...document.querySelectorAll("table[data-rows]")].map((table) => {
    const rows = [...table.tBodies[0].rows].map((element) => ({ element, text: null }));
    return { table, body: table.tBodies[0], rows, matching: rows, word: table.dataset.rows, limit: PAGE };
  });

  function textOf(row) {
    row.text ??= row.element.textContent.toLowerCase();
    return row.text;
  }

  // Only rows that are shown stand in the page: it stays quick with ten thousand of them.
  function place(state, limit) {
    state.body.replaceChildren(...state.matching.slice(0, limit).map((row) => row.element));
  }

  function show(state) {
    place(state, state.limit);
    const all = state.matching.length;
    const shown = Math.min(state.limit, all);
    state.more.hidden = shown === all && all > 0;
    state.button.hidden = shown === all;
    state.button.textContent = shown === all ? "" : `Show ${number(Math.min(MORE, all - shown))} more`;
    state.said.textContent = all ? `${number(shown)} of ${number(all)} ${state.word} shown.` : `No ${state.word} match.`;
  }

  const search = byId("search");
  const choices = [["standing", "s"], ["target", "t"]].map(([id, key]) => [byId(id), key]).filter(([field]) => field);

  function fits(state) {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = state.table.id === "t-identities" ? choices.filter(([field]) => field.value) : [];
    return (row) =>
      chosen.every(([field, key]) => row.element.dataset[key] === field.value) &&
      words.every((word) => textOf(row).includes(word));
  }

  function narrowed() {
    return search.value.trim() !== "" || choices.some(([field]) => field.value);
  }

  function update() {
    for (const state of tables) {
      state.matching = state.rows.filter(fits(state));
      show(state);
    }
    const counts = tables.map((state) => `${number(state.matching.length)} of ${number(state.rows.length)} ${state.word}`);
    byId("found").textContent = narrowed() ? `Found ${counts.join(", ")}.` : "";
  }

  let waiting = 0;
  function later() {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      for (const state of tables) state.limit = PAGE;
      update();
    }, 120);
  }

  function more(state) {
    state.more = Object.assign(make("div", ""), { className: "more" });
    state.said = make("span", "");
    state.button = Object.assign(make("button", ""), { type: "button" });
    state.button.addEventListener("click", () => {
      state.limit += MORE;
      show(state);
    });
    state.more.append(state.said, state.button);
    state.table.after(state.more);
  }

  // A cell's place in its column's order; null is unknown and comes last, whichever way.
  function keyOf(cell, sort) {
    const first = cell.firstElementChild;
    const text = (first && first.tagName !== "SMALL" && first.tagName !== "DETAILS" ? first : cell).textContent.trim();
    if (sort === "number") {
      const found = /-?\d[\d,]*/.exec(cell.textContent);
      return found && !text.includes("unknown") ? Number(found[0].replaceAll(",", "")) : null;
    }
    if (sort === "text") return text === "unknown" || text === "" ? null : cell.textContent.trim();
    const place = sort.split("|").indexOf(text);
    return place < 0 ? null : place;
  }

  function sorted(rows, index, sort, sign) {
    const keyed = rows.map((row) => [keyOf(row.element.cells[index], sort), row]);
    const compare = sort === "text" ? collator.compare : (a, b) => a - b;
    keyed.sort(([a], [b]) => (a === null || b === null ? (a === null) - (b === null) : sign * compare(a, b)));
    return keyed.map(([, row]) => row);
  }

  function sortable(table, state) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, index) => {
      const sort = head.dataset.sort;
      if (!sort) return;
      const button = make("button", head.textContent);
      button.type = "button";
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const first = sort === "number" ? "descending" : "ascending";
        const other = sort === "number" ? "ascending" : "descending";
        const way = head.getAttribute("aria-sort") === first ? other : first;
        for (const one of heads) one.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", way);
        state.rows = sorted(state.rows, index, sort, way === "ascending" ? 1 : -1);
        state.matching = sorted(state.matching, index, sort, way === "ascending" ? 1 : -1);
        if (state.more) show(state);
        else place(state);
      });
    });
  }

  // A link to a row that the search or the limit leaves out brings it back.
  const places = new Map();
  for (const state of tables) {
    for (const row of state.rows) if (row.element.cells[0].id) places.set(row.element.cells[0].id, [state, row]);
  }
  function reveal() {
    const [state, row] = places.get(location.hash.slice(1)) ?? [];
    if (!row || row.element.isConnected) return;
    if (!state.matching.includes(row)) {
      search.value = "";
      for (const [field] of choices) field.value = "";
      update();
    }
    state.limit = Math.max(state.limit, state.matching.indexOf(row) + 1);
    show(state);
    location.replace(location.hash);
  }

  for (const state of tables) more(state);
  for (const table of document.querySelectorAll("table")) {
    const own = tables.find((state) => state.table === table);
    const rows = [...table.tBodies[0].rows].map((element) => ({ element }));
    sortable(table, own ?? { body: table.tBodies[0], rows, matching: rows });
  }
  if (tables.length) {
    search.addEventListener("input", later);
    for (const [field] of choices) field.addEventListener("change", later);
    for (const form of document.forms) {
      form.hidden = false;
      form.addEventListener("submit", (event) => event.preventDefault());
    }
    // Headings of tables stick below the search, not under it.
    const tools = byId("tools");
    const measure = () => document.documentElement.style.setProperty("--tools", `${tools.offsetHeight}px`);
    new ResizeObserver(measure).observe(tools);
    update();
    addEventListener("hashchange", reveal);
    reveal();
  }
  // Print has every row that matches, and everything unfolded.
  let closed = [];
  addEventListener("beforeprint", () => {
    for (const state of tables) place(state);
    if (CSS.supports("selector(::details-content)")) return;
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const state of tables) place(state, state.limit);
    for (const one of closed) one.open = false;
  });
})();
