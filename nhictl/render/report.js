"use strict";
// Search, sort and filter what stands in the page. Nothing is fetched, stored or written as HTML.
(() => {
  const PAGE = 200;
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const byId = (name) => document.getElementById(name);
  const make = (name, text) => Object.assign(document.createElement(name), { textContent: text });
  const number = (count) => count.toLocaleString("en");

  const tables = [...document.querySelectorAll("table[data-rows]")].map((table) => {
    const rows = [...table.tBodies[0].rows].map((element) => ({ element, text: null }));
    return { table, rows, word: table.dataset.rows, limit: PAGE, matching: rows.length, more: null };
  });

  function textOf(row) {
    row.text ??= row.element.textContent.toLowerCase();
    return row.text;
  }

  // Writes to the page only what changed; rows beyond the limit stay in it, for print.
  function show(state, wanted) {
    let matching = 0;
    for (const row of state.rows) {
      const fits = wanted(row);
      if (fits) matching += 1;
      const name = !fits ? "out" : matching > state.limit ? "later" : "";
      if (row.element.className !== name) row.element.className = name;
    }
    state.matching = matching;
    state.more.hidden = matching <= state.limit && matching > 0;
    const shown = Math.min(state.limit, matching);
    state.said.textContent = matching ? `${number(shown)} of ${number(matching)} ${state.word} shown.` : `No ${state.word} match.`;
    for (const button of state.more.querySelectorAll("button")) button.hidden = matching <= state.limit;
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
    for (const state of tables) show(state, fits(state));
    const counts = tables.map((state) => `${number(state.matching)} of ${number(state.rows.length)} ${state.word}`);
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
    const box = Object.assign(make("div", ""), { className: "more" });
    state.said = make("span", "");
    const next = make("button", `Show ${PAGE} more`);
    const all = make("button", "Show all");
    next.type = all.type = "button";
    next.addEventListener("click", () => { state.limit += PAGE; update(); });
    all.addEventListener("click", () => { state.limit = Infinity; update(); });
    box.append(state.said, next, all);
    state.table.after(box);
    state.more = box;
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
        const body = document.createDocumentFragment();
        for (const row of state.rows) body.append(row.element);
        table.tBodies[0].append(body);
        if (state.more) update();
      });
    });
  }

  // A link to a row that the search or the limit hides shows it.
  function reveal() {
    const row = byId(location.hash.slice(1))?.closest("tr");
    if (!row || !row.className) return;
    if (row.className === "out") {
      search.value = "";
      for (const [field] of choices) field.value = "";
      update();
    }
    row.className = "";
    row.scrollIntoView();
  }

  for (const state of tables) more(state);
  for (const table of document.querySelectorAll("table")) {
    const own = tables.find((state) => state.table === table);
    sortable(table, own ?? { rows: [...table.tBodies[0].rows].map((element) => ({ element })) });
  }
  if (tables.length) {
    search.addEventListener("input", later);
    for (const [field] of choices) field.addEventListener("change", later);
    for (const form of document.forms) {
      form.hidden = false;
      form.addEventListener("submit", (event) => event.preventDefault());
    }
    update();
    addEventListener("hashchange", reveal);
    reveal();
  }
  if (!CSS.supports("selector(::details-content)")) {
    let closed = [];
    addEventListener("beforeprint", () => {
      closed = [...document.querySelectorAll("details:not([open])")];
      for (const one of closed) one.open = true;
    });
    addEventListener("afterprint", () => { for (const one of closed) one.open = false; });
  }
})();
