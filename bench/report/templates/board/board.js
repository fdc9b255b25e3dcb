"use strict";
// Filters and sorts the rows, and keeps both in the address. Without it the whole board is shown, the best first.
(() => {
  const form = document.getElementById("filters"), shown = document.getElementById("shown");
  const fields = [...form.querySelectorAll("select, input")];
  const rows = [...document.querySelectorAll("tr[data-target]")];
  const order = { correct: 0, wrong: 1, "not judged": 2 };
  const first = new Map(rows.map((row, place) => [row, place]));
  let sorted = { by: "", up: false };

  // What the address says: behind the question mark, or behind the hash, which wins.
  function asked() {
    const said = new URLSearchParams(location.search);
    const hash = location.hash.slice(1);
    if (hash.includes("=")) new URLSearchParams(hash).forEach((value, name) => said.set(name, value));
    return said;
  }

  function matches(row) {
    const table = row.closest(".ranked");
    return fields.every(({ name, value }) => !value || (name === "text"
      ? row.textContent.toLowerCase().includes(value.toLowerCase())
      : (row.dataset[name] ?? table.dataset[name]) === value));
  }

  function filter() {
    rows.forEach((row) => { row.hidden = !matches(row); });
    document.querySelectorAll(".ranked, .kind").forEach((part) => {
      part.hidden = !part.querySelector("tr[data-target]:not([hidden])");
    });
    const left = rows.filter((row) => !row.hidden).length;
    shown.textContent = `${left} of ${rows.length} rows`;
  }

  // A row without the figure comes last, whichever way; so does one that is wrong, which has none.
  function compare(one, other) {
    const a = one.getAttribute("data-" + sorted.by), b = other.getAttribute("data-" + sorted.by);
    if (a === null || b === null) return (a === null) - (b === null) || first.get(one) - first.get(other);
    const numbers = a !== "" && b !== "" && !Number.isNaN(+a) && !Number.isNaN(+b);
    const by = sorted.by === "state" ? order[a] - order[b] : numbers ? a - b : a.localeCompare(b);
    return (sorted.up ? by : -by) || first.get(one) - first.get(other);
  }

  function sort() {
    document.querySelectorAll("table.board").forEach((table) => {
      const own = rows.filter((row) => row.closest("table") === table);
      own.sort(sorted.by ? compare : (a, b) => first.get(a) - first.get(b));
      table.tBodies[0].replaceChildren(...own);
    });
    document.querySelectorAll("th[data-sort]").forEach((head) => {
      if (head.dataset.sort !== sorted.by) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", sorted.up ? "ascending" : "descending");
    });
  }

  function remember() {
    const said = new URLSearchParams(fields.filter(({ value }) => value).map(({ name, value }) => [name, value]));
    if (sorted.by) said.set("sort", (sorted.up ? "" : "-") + sorted.by);
    // An empty hash would leave the query in force.
    history.replaceState(null, "", "#" + (said.toString() || "all="));
  }

  function follow() {
    const said = asked();
    fields.forEach((field) => {
      field.value = said.get(field.name) ?? "";
      if (field.selectedIndex === -1) field.value = "";
    });
    const by = said.get("sort") ?? "", name = by.replace(/^-/, "");
    const known = [...document.querySelectorAll("th[data-sort]")].some((head) => head.dataset.sort === name);
    sorted = known ? { by: name, up: !by.startsWith("-") } : { by: "", up: false };
    sort();
    filter();
  }

  document.querySelectorAll("th[data-sort]").forEach((head) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(head.querySelector("span"));
    head.prepend(button);
    button.addEventListener("click", () => {
      const by = head.dataset.sort, up = head.dataset.better !== "higher";
      sorted = { by, up: sorted.by === by ? !sorted.up : up };
      sort();
      remember();
    });
  });
  form.addEventListener("input", () => { filter(); remember(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    fields.forEach((field) => { field.value = ""; });
    sorted = { by: "", up: false };
    sort();
    filter();
    remember();
  });
  addEventListener("hashchange", follow);
  form.hidden = false;
  follow();
})();
