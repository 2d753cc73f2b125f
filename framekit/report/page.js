"use strict";
(() => {
  // Everything from documents goes into the page as text or as an attribute that
  // cannot run; the content security policy refuses anything else.
  const data = JSON.parse(document.getElementById("data").textContent);
  const { codes, rows, strings, pictures } = data;
  const [CODE, FRAME, SOURCE, MASK, DOCUMENT, AT, MESSAGE, HINT, COLOR] = Array(9).keys();
  const NOUNS = { error: ["error", "errors"], warning: ["warning", "warnings"], info: ["remark", "remarks"] };
  const FEW = 5, MANY = 50, PRINTED = 1000, OFFERED = 2000;

  const byId = (id) => document.getElementById(id);
  const text = (row, column) => (row[column] == null ? "" : strings[row[column]]);
  const number = (value) => value.toLocaleString("en-US");
  const noun = (severity, count) => NOUNS[severity][count === 1 ? 0 : 1];

  function make(tag, properties, ...children) {
    const made = document.createElement(tag);
    Object.assign(made, properties);
    made.append(...children);
    return made;
  }

  // -- The state of the filters, kept in the address so that a view can be shared.

  const SEVERITIES = Object.keys(NOUNS).filter((s) => codes.some((row) => row.severity === s));
  const state = { severity: new Set(SEVERITIES), code: "", source: "", frame: "", text: "" };
  const pages = new Map();
  const closed = new Set();

  function readAddress() {
    const given = new URLSearchParams(location.hash.slice(1));
    const severities = (given.get("severity") || "").split(",").filter((s) => SEVERITIES.includes(s));
    state.severity = new Set(severities.length ? severities : SEVERITIES);
    for (const key of ["code", "source", "frame", "text"]) state[key] = given.get(key) || "";
    if (!codes.some((row) => row.code === state.code)) state.code = "";
  }

  function writeAddress() {
    const given = new URLSearchParams();
    if (state.severity.size < SEVERITIES.length) given.set("severity", [...state.severity].join(","));
    for (const key of ["code", "source", "frame", "text"]) if (state[key]) given.set(key, state[key]);
    const hash = given.toString();
    try {
      history.replaceState(null, "", hash ? `#${hash}` : "#");
    } catch {
      // Where a page from disk must not, the view is only not kept.
    }
  }

  // -- Filtering

  const lowered = [];
  const lower = (index) => (lowered[index] ??= strings[index].toLowerCase());
  const holds = (row, column, wanted) => row[column] != null && lower(row[column]).includes(wanted);
  const SEARCHED = [MESSAGE, FRAME, SOURCE, MASK, DOCUMENT, AT, HINT];

  function matching() {
    const wanted = state.text.trim().toLowerCase();
    const frame = state.frame.trim().toLowerCase();
    const shown = codes.map((row) =>
      state.severity.has(row.severity) && (!state.code || row.code === state.code));
    const named = codes.map((row) => row.code.includes(wanted));
    const found = codes.map(() => []);
    rows.forEach((row, index) => {
      if (!shown[row[CODE]]) return;
      if (state.source && text(row, SOURCE) !== state.source) return;
      if (frame && !holds(row, FRAME, frame)) return;
      if (wanted && !named[row[CODE]] && !SEARCHED.some((column) => holds(row, column, wanted))) return;
      found[row[CODE]].push(index);
    });
    return found;
  }

  // -- Drawing

  function chip(label, value, key) {
    if (!key) return make("span", { className: "chip" }, `${label} ${value}`);
    const made = make("button", { type: "button", className: "chip", title: `Show only ${label} ${value}` },
      `${label} `, make("bdi", {}, value));
    made.addEventListener("click", () => { state[key] = value; refresh(); byId("findings").focus(); });
    return made;
  }

  function swatch(color) {
    const hex = `#${color.map((c) => Math.max(0, Math.min(255, c)).toString(16).padStart(2, "0")).join("")}`;
    const box = make("span", { className: "swatch" });
    box.style.backgroundColor = hex;
    box.setAttribute("aria-hidden", "true");
    return make("span", { className: "chip" }, box, `color ${color.join(", ")}`);
  }

  function drawnPictures(picture) {
    const shots = picture.shots.map((shot) => {
      const image = make("img", { alt: shot.caption, width: shot.width, height: shot.height, loading: "lazy", decoding: "async" });
      image.src = shot.src;
      return make("figure", {}, image, make("figcaption", {}, shot.caption));
    });
    const parts = [make("div", { className: "shots" }, ...shots)];
    if (picture.note) parts.push(make("p", { className: "advice" }, picture.note));
    return parts;
  }

  function finding(index) {
    const row = rows[index];
    const where = make("p", { className: "where" });
    if (row[FRAME] != null) where.append(chip("frame", text(row, FRAME), "frame"));
    if (row[SOURCE] != null) where.append(chip("source", text(row, SOURCE), "source"));
    if (row[MASK] != null) where.append(chip("mask", text(row, MASK)));
    if (row[COLOR] != null) where.append(swatch(row[COLOR]));
    where.append(make("code", {}, [text(row, DOCUMENT), text(row, AT)].filter(Boolean).join(" ")));
    const item = make("li", { className: "finding" }, make("p", { className: "message", dir: "auto" }, text(row, MESSAGE)), where);
    if (row[HINT] != null) item.append(make("p", { className: "advice" }, text(row, HINT)));
    if (pictures[index]) item.append(...drawnPictures(pictures[index]));
    return item;
  }

  function group(code, found, size) {
    const { code: name, severity, count, meaning, hint } = codes[code];
    const start = Math.min(pages.get(name) || 0, Math.max(0, Math.ceil(found.length / size) - 1)) * size;
    const stop = Math.min(found.length, start + size);
    const of = found.length === count ? number(count) : `${number(found.length)} of ${number(count)}`;
    const title = make("h3", { id: `code-${name}` }, name);
    const summary = make("summary", {}, make("span", { className: `badge ${severity}` }, noun(severity, 1)), title,
      make("span", { className: "of" }, of));
    const about = make("p", { className: "about" }, meaning);
    if (hint) about.append(" ", make("b", {}, "What to do: "), `${hint}.`);
    const list = make("ol", { start: start + 1 }, ...found.slice(start, stop).map(finding));
    list.setAttribute("aria-labelledby", title.id);
    const made = make("details", { className: "group", open: !closed.has(name) }, summary, about, list);
    made.dataset.code = name;
    made.addEventListener("toggle", () => (made.open ? closed.delete(name) : closed.add(name)));
    if (found.length > size) made.append(pager(code, found, size, start, stop));
    return made;
  }

  function pager(code, found, size, start, stop) {
    const { code: name } = codes[code];
    const last = Math.ceil(found.length / size) - 1, here = start / size;
    const turn = (label, to) => {
      const made = make("button", { type: "button", disabled: to < 0 || to > last || to === here }, label);
      made.setAttribute("aria-label", `${label} findings of ${name}`);
      made.addEventListener("click", () => {
        pages.set(name, to);
        const fresh = group(code, found, size);
        document.querySelector(`details[data-code="${CSS.escape(name)}"]`).replaceWith(fresh);
        fresh.scrollIntoView({ block: "start" });
        const buttons = [...fresh.querySelectorAll(".pager button")];
        (buttons.find((b) => b.textContent === label && !b.disabled) || buttons.find((b) => !b.disabled)).focus({ preventScroll: true });
      });
      return made;
    };
    const made = make("nav", { className: "pager" },
      make("span", {}, `${number(start + 1)} to ${number(stop)} of ${number(found.length)}`),
      turn("First", 0), turn("Previous", here - 1), turn("Next", here + 1), turn("Last", last));
    made.setAttribute("aria-label", `Pages of ${name}`);
    return made;
  }

  function draw(size) {
    const found = matching();
    const shown = found.filter((list) => list.length).length;
    const each = size || (shown === 1 ? MANY : FEW);
    byId("groups").replaceChildren(...found.flatMap((list, code) => (list.length ? [group(code, list, each)] : [])));
    const total = codes.reduce((sum, row) => sum + row.count, 0);
    const kept = found.reduce((sum, list) => sum + list.length, 0);
    byId("count").textContent = total === 0 ? "There are no findings."
      : kept === total ? `All ${number(total)} findings.`
      : kept ? `${number(kept)} of ${number(total)} findings.` : `None of ${number(total)} findings.`;
  }

  // -- The form

  function fill() {
    const severities = byId("severities");
    for (const severity of SEVERITIES) {
      const count = codes.reduce((sum, row) => sum + (row.severity === severity ? row.count : 0), 0);
      const box = make("input", { type: "checkbox", name: "severity", value: severity });
      severities.append(make("label", {}, box, ` ${number(count)} ${noun(severity, count)}`));
    }
    for (const row of codes) byId("code").append(new Option(`${row.code} (${number(row.count)})`, row.code));
    offer(byId("source"), SOURCE);
    offer(byId("frames"), FRAME);
  }

  function offer(list, column) {
    const counts = new Map();
    for (const row of rows) if (row[column] != null) counts.set(row[column], (counts.get(row[column]) || 0) + 1);
    const names = [...counts].slice(0, OFFERED).map(([index, count]) => [strings[index], count]);
    names.sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [name, count] of names) list.append(new Option(list.id === "frames" ? name : `${name} (${number(count)})`, name));
    if (counts.size > OFFERED && list.id !== "frames") {
      list.append(make("option", { disabled: true }, `and ${number(counts.size - OFFERED)} more: use the text`));
    }
  }

  function show() {
    for (const box of byId("severities").querySelectorAll("input")) box.checked = state.severity.has(box.value);
    // A source may be beyond those that are offered.
    const offered = [...byId("source").options].some((option) => option.value === state.source);
    if (!offered) byId("source").append(new Option(state.source, state.source));
    for (const key of ["code", "source", "frame", "text"]) byId(key).value = state[key];
  }

  function refresh() {
    pages.clear();
    show();
    writeAddress();
    draw();
  }

  function take() {
    const boxes = [...byId("severities").querySelectorAll("input")];
    state.severity = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    for (const key of ["code", "source", "frame", "text"]) state[key] = byId(key).value;
    pages.clear();
    writeAddress();
    draw();
  }

  let waiting = 0;
  const form = byId("filters");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", take);
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(take, 150); });
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    Object.assign(state, { severity: new Set(SEVERITIES), code: "", source: "", frame: "", text: "" });
    refresh();
  });
  for (const link of document.querySelectorAll("a[data-code]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      state.code = link.dataset.code;
      state.severity = new Set(SEVERITIES);
      refresh();
      byId("findings").focus();
      byId("listing").scrollIntoView();
    });
  }
  addEventListener("hashchange", () => {
    if (!location.hash.includes("=")) return; // A link to a heading.
    readAddress();
    refreshed();
  });
  addEventListener("beforeprint", () => draw(PRINTED));
  addEventListener("afterprint", () => draw());

  function refreshed() {
    pages.clear();
    show();
    draw();
  }

  fill();
  readAddress();
  form.hidden = false;
  refreshed();
})();
