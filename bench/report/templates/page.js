"use strict";
(() => {
  const page = JSON.parse(document.getElementById("charts").textContent);
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const narrow = () => window.innerWidth < 820;

  function traces(chart) {
    return chart.traces.map((t) => ({
      type: t.type || "scatter", mode: t.mode || "lines", name: t.name, x: t.x, y: t.y, fill: t.fill,
      line: { color: color(t.color), width: 2, dash: t.dash, shape: t.shape },
      marker: { color: color(t.color), size: t.sizes || 9, symbol: t.symbols }, cliponaxis: false, legendgroup: t.group,
      showlegend: t.legend !== false, opacity: t.group ? 0.8 : 1, fillcolor: t.fill ? color(t.color) + "22" : undefined,
      hovertemplate: "%{y:,.3~f}" + (chart.unit ? " " + chart.unit : ""), connectgaps: false,
    }));
  }

  function marks(chart) {
    if (!chart.timeline) return { shapes: [], annotations: [] };
    const shapes = page.phases.map((p, i) => ({
      type: "rect", xref: "x", yref: "paper", x0: p.from, x1: p.to, y0: 0, y1: 1, line: { width: 0 },
      fillcolor: i % 2 ? color("phase") : "rgba(0,0,0,0)", layer: "below",
    })).concat(page.moments.map((m) => ({
      type: "line", xref: "x", yref: "paper", x0: m.at, x1: m.at, y0: 0, y1: 1,
      line: { color: color("bad"), width: 1.5, dash: "dot" },
    })));
    const room = page.phases.length ? page.phases[page.phases.length - 1].to - page.phases[0].from : 1;
    const least = narrow() ? 0.16 : 0.1;
    const wide = (p) => (p.to - p.from) / room > least;
    const annotations = page.phases.filter((p) => wide(p) || p.name === "convergence").map((p) => ({
      x: wide(p) ? (p.from + p.to) / 2 : p.to, xanchor: wide(p) ? "center" : "right",
      y: 1, yref: "paper", yanchor: "bottom", text: p.name, showarrow: false,
      font: { size: 11, color: color("soft") },
    })).concat(page.moments.map((m) => ({
      x: m.at, y: 0.97, yref: "paper", xanchor: "left", text: " " + m.name, showarrow: false,
      font: { size: 11, color: color("bad") },
    })));
    return { shapes, annotations };
  }

  function small(chart) {
    return chart.traces.every((t) => t.y.every((value) => Math.abs(value) < 1000));
  }

  function layout(chart) {
    const axis = { gridcolor: color("grid"), zerolinecolor: color("line"), linecolor: color("line"), automargin: true };
    return {
      ...marks(chart), paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: color("soft"), size: 12, family: "inherit" }, hovermode: chart.hover || "x unified", dragmode: narrow() ? false : "zoom",
      hoverlabel: { bgcolor: color("card"), bordercolor: color("line"), font: { color: color("ink") } },
      margin: { l: 8, r: 10, t: 20, b: 8 }, showlegend: chart.traces.length > 1,
      legend: { orientation: "h", x: 0, y: -0.16, yanchor: "top", font: { size: 12 } },
      xaxis: { ...axis, type: chart.xtype, tickvals: chart.tickvals, ticktext: chart.ticktext,
               ticksuffix: chart.timeline || chart.seconds ? " s" : "", range: chart.timeline ? page.range : undefined },
      yaxis: { ...axis, rangemode: "tozero", type: chart.ytype, tickformat: small(chart) ? "~g" : "~s", nticks: 6, tickvals: chart.ytickvals, range: chart.yrange },
    };
  }

  const options = { responsive: true, displaylogo: false, displayModeBar: false };
  function draw() {
    for (const chart of page.charts) Plotly.react(chart.id, traces(chart), layout(chart), options);
  }
  draw();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
