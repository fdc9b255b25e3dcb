"use strict";
// Reads the values of a chart out, under the pointer and by the arrow keys. Without it the charts are whole all the same.
(() => {
  const page = JSON.parse(document.getElementById("charts").textContent);
  const place = (v, [low, high, log]) => log
    ? (Math.log10(Math.max(v, low)) - Math.log10(low)) / (Math.log10(high) - Math.log10(low))
    : (v - low) / (high - low);
  const told = (v) => v == null ? "–" : Math.abs(v) >= 100 || Number.isInteger(v)
    ? v.toLocaleString("en", { maximumFractionDigits: 0 }) : String(+v.toPrecision(3));

  function at(chart, trace, index) {
    if (chart.xtext) return chart.xtext[index];
    const tick = (chart.tickvals || []).indexOf(trace.x[index]);
    if (tick >= 0) return String(chart.ticktext[tick]);
    return +trace.x[index].toPrecision(6) + (chart.timeline || chart.seconds ? " s" : "");
  }

  // Every value as a point: its trace, its index, and its shares of the two axes.
  function points(chart) {
    return chart.traces.flatMap((trace) => trace.x.map((x, index) => ({ trace, index, x: place(x, chart.axes.x),
      y: trace.y[index] == null ? null : place(trace.y[index], chart.axes.y) }))).filter((p) => p.y !== null);
  }

  function reader(chart) {
    const plot = document.getElementById(chart.id), all = points(chart), near = chart.hover === "closest";
    const line = plot.appendChild(Object.assign(document.createElement("div"), { className: "cursor", hidden: true }));
    const tip = plot.appendChild(Object.assign(document.createElement("output"), { className: "tip", hidden: true }));
    const stops = [...new Set(all.map((p) => p.x))].sort((a, b) => a - b);
    let stop = -1;

    function show(chosen) {
      line.hidden = tip.hidden = false;
      line.style.left = chosen[0].x * 100 + "%";
      tip.classList.toggle("left", chosen[0].x > 0.55);
      tip.style.left = chosen[0].x * 100 + "%";
      const head = document.createElement("b");
      head.textContent = at(chart, chosen[0].trace, chosen[0].index);
      tip.replaceChildren(head, ...chosen.map(row));
    }

    function row({ trace, index }) {
      const span = document.createElement("span"), dot = document.createElement("i"), unit = chart.unit ? " " + chart.unit : "";
      dot.className = trace.color;
      span.append(dot, `${trace.name} ${told(trace.y[index])}${unit}`);
      return span;
    }

    const hide = () => { line.hidden = tip.hidden = true; };
    const column = (x) => all.filter((p) => p.x === x);
    function pointed(event) {
      if (!all.length) return;
      const box = plot.getBoundingClientRect();
      const x = (event.clientX - box.left) / box.width, y = 1 - (event.clientY - box.top) / box.height;
      const far = (p) => Math.hypot((p.x - x) * box.width, near ? (p.y - y) * box.height : 0);
      const best = all.reduce((a, b) => far(b) < far(a) ? b : a);
      stop = stops.indexOf(best.x);
      show(near ? [best] : column(best.x));
    }

    plot.addEventListener("pointermove", pointed);
    plot.addEventListener("pointerdown", pointed);
    plot.addEventListener("pointerleave", hide);
    plot.addEventListener("blur", hide);
    plot.addEventListener("keydown", (event) => {
      const moves = { ArrowRight: stop + 1, ArrowLeft: stop - 1, Home: 0, End: stops.length - 1 };
      if (event.key === "Escape") hide();
      if (!(event.key in moves) || !stops.length) return;
      event.preventDefault();
      stop = Math.min(Math.max(moves[event.key], 0), stops.length - 1);
      show(column(stops[stop]));
    });
  }

  page.charts.forEach(reader);
})();
