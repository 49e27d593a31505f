"use strict";
(() => {
  const small = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
  const large = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
  const show = (value, axis) => {
    if (axis.scale === "nines") return `${Number((100 * (1 - 1 / value)).toPrecision(9))}%`;
    return (Math.abs(value) < 1000 ? small : large).format(value);
  };
  // Places that were computed in two ways differ in their last digits.
  const same = (one, other) => Math.abs(one - other) <= 1e-6 * Math.abs(one);

  // Series: a button hides and shows them in every drawing of the chart.
  const hidden = (figure) =>
    new Set([...figure.querySelectorAll('.legend [aria-pressed="false"]')].map((button) => button.dataset.series));
  const toggle = (figure, button) => {
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    const off = hidden(figure);
    for (const group of figure.querySelectorAll("g.tt")) {
      group.classList.toggle("off", off.has(group.dataset.group));
    }
  };

  // The pointer: the nearest measured place on the horizontal axis, and what every series has there.
  const nearest = (panel, off, x, isLog) => {
    let best = null;
    for (const series of panel.series) {
      if (off.has(series.name)) continue;
      for (const point of series.points) {
        // A step holds from its own place on.
        if (point.y === null || (series.stroke === "steps" && point.x > x)) continue;
        const apart = isLog ? Math.abs(Math.log(point.x / x)) : Math.abs(point.x - x);
        if (best === null || apart < best.apart) best = { x: point.x, apart };
      }
    }
    return best && best.x;
  };
  const line = (label, series, text) => {
    const row = document.createElement("div");
    const dot = document.createElement("i");
    dot.style.background = `var(--hue-${series.hue % 8})`;
    row.append(dot, `${label}: ${text}`);
    return row;
  };
  const fill = (tip, data, panel, off, x) => {
    const head = document.createElement("b");
    head.textContent = `${data.x.label}: ${show(x, data.x)}`;
    tip.replaceChildren(head);
    for (const series of panel.series) {
      const point = off.has(series.name) ? undefined : series.points.find((one) => same(one.x, x));
      if (!point) continue;
      const spread = point.spread ? ` (${point.spread.map((end) => show(end, panel.y)).join(" to ")})` : "";
      const text = point.y === null ? "not measured" : show(point.y, panel.y) + spread;
      tip.append(line(series.name, series, text));
    }
  };
  const hover = (figure, data, svg, event) => {
    const tip = figure.querySelector(".tip");
    const panel = data.panels[Number(svg.dataset.panel)];
    const [left, right, , , from, to] = svg.dataset.axes.split(" ").map(Number);
    const box = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal.width / box.width;
    const share = ((event.clientX - box.left) * scale - left) / (right - left);
    const isLog = data.x.scale !== "linear";
    if (share < -0.02 || share > 1.02) return leave(figure);
    const place = isLog ? from * (to / from) ** share : from + share * (to - from);
    const off = hidden(figure);
    const x = nearest(panel, off, place, isLog);
    if (x === null) return leave(figure);
    fill(tip, data, panel, off, x);
    const at = isLog ? Math.log(x / from) / Math.log(to / from) : (x - from) / (to - from);
    cross(figure, svg.parentElement, at);
    tip.hidden = false;
    const frame = figure.getBoundingClientRect();
    const over = event.clientX - frame.left + 14;
    tip.style.left = `${Math.max(0, Math.min(over, frame.width - tip.offsetWidth - 4))}px`;
    tip.style.top = `${event.clientY - frame.top + 14}px`;
  };
  const cross = (figure, drawings, at) => {
    for (const old of figure.querySelectorAll(".cross")) old.remove();
    for (const svg of drawings.querySelectorAll("svg[data-axes]")) {
      const [left, right, top, bottom] = svg.dataset.axes.split(" ").map(Number);
      const mark = document.createElementNS("http://www.w3.org/2000/svg", "line");
      const x = String(left + at * (right - left));
      for (const [name, value] of Object.entries({ class: "cross", x1: x, x2: x, y1: top, y2: bottom })) {
        mark.setAttribute(name, value);
      }
      svg.append(mark);
    }
  };
  const leave = (figure) => {
    figure.querySelector(".tip").hidden = true;
    for (const old of figure.querySelectorAll(".cross")) old.remove();
  };
  for (const figure of document.querySelectorAll("figure.chart")) {
    const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
    for (const button of figure.querySelectorAll(".legend button")) {
      button.addEventListener("click", () => toggle(figure, button));
    }
    for (const svg of figure.querySelectorAll("svg[data-axes]")) {
      if (data.panels[Number(svg.dataset.panel)].series.length === 0) continue;
      svg.addEventListener("pointermove", (event) => hover(figure, data, svg, event));
      svg.addEventListener("pointerleave", () => leave(figure));
    }
  }

  // Tables: by a column, up and down; what has no number stays last.
  const compare = (one, other) => {
    const [a, b] = [one, other].map((cell) => (cell.dataset.value === undefined ? null : Number(cell.dataset.value)));
    if (a !== null && b !== null) return a - b;
    if (a === null && b === null) return one.textContent.localeCompare(other.textContent, "en", { numeric: true });
    return null;
  };
  const sort = (table, column, head) => {
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = table.tBodies[0];
    const rows = [...body.rows];
    rows.sort((one, other) => {
      const cells = [one.cells[column], other.cells[column]];
      const order = compare(...cells);
      if (order === null) return cells[0].dataset.value === undefined ? 1 : -1;
      return down ? -order : order;
    });
    body.append(...rows);
  };
  for (const table of document.querySelectorAll("table")) {
    table.querySelectorAll("th").forEach((head, column) => {
      head.querySelector("button").addEventListener("click", () => sort(table, column, head));
    });
  }
})();
