// Sorting and filtering of the tables. The page is whole without it: what it needs, it adds.
"use strict";
(() => {
  const PAGE = 25, FILTERED_FROM = 8, SORTED_FROM = 3;
  const make = (tag, set) => Object.assign(document.createElement(tag), set);

  // What a cell is sorted by: its first number, where its column holds numbers; null where it holds none.
  const key = (cell, numeric) => {
    const text = (cell.dataset.key ?? cell.textContent).trim();
    if (!numeric) return text || null;
    const found = text.replace(/\u2212/g, "-").replace(/(\d)[,\u202f](?=\d{3})/g, "$1").match(/[-+]?\d+(\.\d+)?(e[-+]?\d+)?/i);
    return found && Number(found[0]) - (text.includes("<") ? 1e-12 : 0);
  };
  const alphabet = new Intl.Collator("en", { numeric: true });
  const compare = (a, b, sign) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (typeof a === "number" ? a - b : alphabet.compare(a, b));
  };

  for (const region of document.querySelectorAll(".table")) {
    const table = region.querySelector("table"), body = table.tBodies[0], rows = [...body.rows];
    if (rows.length < SORTED_FROM) continue;
    const heads = [...table.tHead.rows[0].cells];
    const words = new Map(rows.map((row) => [row, [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase()]));
    let order = rows, whole = rows.length <= PAGE, sorted = "";

    const tools = make("div", { className: "tools" });
    const filter = make("input", { type: "search", autocomplete: "off" });
    const label = make("label", { textContent: "Filter" });
    label.append(filter);
    const told = make("p");
    told.setAttribute("role", "status");
    const more = make("button", { type: "button", hidden: whole });
    if (rows.length >= FILTERED_FROM) {
      filter.setAttribute("aria-label", "Filter: " + table.caption.textContent);
      tools.append(label, told, more);
    } else {
      told.className = "heard";
      tools.append(told);
    }

    const show = () => {
      const wanted = filter.value.trim().toLowerCase();
      const found = order.filter((row) => words.get(row).includes(wanted));
      const shown = new Set(whole ? found : found.slice(0, PAGE));
      for (const row of order) row.classList.toggle("unlisted", !shown.has(row));
      more.hidden = rows.length <= PAGE || found.length <= PAGE;
      more.textContent = whole ? "Show the first " + PAGE : "Show all " + found.length.toLocaleString("en");
      told.textContent = shown.size.toLocaleString("en") + " of " + rows.length.toLocaleString("en") + " rows shown" + sorted;
    };

    heads.forEach((head, place) => {
      const numeric = head.classList.contains("number"), name = head.textContent.trim();
      if (!name) return;
      const button = make("button", { type: "button", className: "sort" });
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const next = { ascending: "descending", descending: null }[head.getAttribute("aria-sort")];
        const way = next === undefined ? "ascending" : next;
        for (const other of heads) other.removeAttribute("aria-sort");
        if (way) head.setAttribute("aria-sort", way);
        const keys = new Map(rows.map((row) => [row, key(row.cells[place], numeric)]));
        const sign = way === "ascending" ? 1 : -1;
        order = way ? [...rows].sort((a, b) => compare(keys.get(a), keys.get(b), sign)) : rows;
        sorted = way ? ", sorted by " + name + ", " + way : ", in the report's order";
        body.append(...order);
        show();
      });
    });
    filter.addEventListener("input", show);
    more.addEventListener("click", () => { whole = !whole; show(); });
    // Paper has the report's own order, of which it may set the first rows only.
    addEventListener("beforeprint", () => body.append(...rows));
    addEventListener("afterprint", () => body.append(...order));
    region.classList.add("sortable");
    region.before(tools);
    show();
  }

  // Only a table that is wider than its place needs the keyboard to be moved.
  const sized = new ResizeObserver((seen) => {
    for (const { target } of seen) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  for (const region of document.querySelectorAll(".table")) sized.observe(region);
})();
