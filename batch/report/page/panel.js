// The panel on one pair of model and GPU: its variants, and all that is known of the one chosen.

let details = null; // head and arrays of what only the panel shows
let opener = null; // the element that opened it, or null for the matrix

function openPanel(row, column, from = null) {
  opener = from?.dataset.open ?? null;
  change({ open: [row, column], pick: null });
  byId("panel").focus();
}

function closePanel() {
  const from = opener;
  change({ open: null, pick: null });
  const entry = from && document.querySelector(`[data-open="${from}"]`);
  if (entry) entry.focus();
  else if (state.view === "matrix" && matrix.scroller) cellElement(matrix.cursor)?.focus({ preventScroll: true });
  else byId("view").focus();
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && state.open) closePanel();
});

function variantsAt(row, column) {
  return [...cellsAt(table, pairAt(table, row, column))].sort((a, b) => compareCells(table, a, b));
}

function drawPanel() {
  const panel = byId("panel");
  panel.hidden = !state.open;
  document.body.classList.toggle("with-panel", Boolean(state.open));
  if (!state.open) return fill(panel);
  const [row, column] = state.open;
  const variants = variantsAt(row, column);
  const best = selection.best[pairAt(table, row, column)];
  const first = Math.max(0, variants.indexOf(best));
  const i = variants[state.pick ? state.pick - 1 : first] ?? variants[first];
  const [model, gpu] = [table.rows[row], table.columns[column]];
  panel.setAttribute("aria-labelledby", "panel-title");
  const count = model.parameters?.[language];
  const active = model.active_parameters?.[language];
  const about = [
    say("panel.on", { gpu: gpu.label }),
    count ? say(active ? "panel.active" : "panel.parameters", { count, active }) : null,
    model.family,
    gpu.generation,
  ];
  fill(
    panel,
    make(
      "header",
      {},
      make("div", {}, make("h2", { id: "panel-title", aria: { label: say("panel.label", { model: model.label, gpu: gpu.label }) } }, model.label), make("p", {}, about.filter(Boolean).join(" · "))),
      make("button", { type: "button", className: "close", aria: { label: say("panel.close") }, on: { click: closePanel } }, make("span", { aria: { hidden: "true" } }, "✕")),
    ),
    i === undefined ? make("p", {}, verdictMark("not_asked")) : [variantTable(variants, i), table.verdict[i] === VERDICTS.indexOf("error") ? errorPart(i) : weighedParts(i)],
    make(
      "footer",
      {},
      make("button", { type: "button", className: "plain", on: { click: () => change({ view: "model", model: row, open: null }, byId("view")) } }, say("panel.to_model")),
      make("button", { type: "button", className: "plain", on: { click: () => change({ view: "gpu", gpu: column, open: null }, byId("view")) } }, say("panel.to_gpu")),
    ),
  );
}

const part = (title, ...children) => make("section", {}, make("h3", {}, title), children);

function variantTable(variants, picked) {
  const axes = table.axes.filter(({ path }) => path !== "weight_format");
  const choosePick = (place) => {
    change({ pick: place + 1 });
    byId("panel").querySelector("[aria-pressed=true]")?.focus();
  };
  const rows = variants.map((i, place) => {
    const weighed = table.verdict[i] !== VERDICTS.indexOf("error");
    const left = selection.left[i] ? null : make("span", { className: "under" }, say("panel.left_out"));
    return make(
      "tr",
      { className: i === picked ? "picked" : "" },
      make("th", { scope: "row" }, make("button", { type: "button", className: "entry", aria: { pressed: String(i === picked) }, on: { click: () => choosePick(place) } }, formatShown(i)), left),
      axes.map((axis) => make("td", {}, axisValueName(axis, i))),
      make("td", {}, verdictMark(VERDICTS[table.verdict[i]])),
      make("td", {}, weighed ? say(`level.${levelOf(i)}`) : "–"),
      make("td", { className: "number" }, weighed ? gibSignedHundredths(table.headroom[i]) : "–"),
    );
  });
  const heads = [say("axis.weight_format"), ...axes.map(({ path }) => axisName(path)), say("list.verdict"), say("list.support")];
  return part(
    say("panel.variants"),
    make("div", { className: "wide" }, make("table", {}, make("thead", {}, make("tr", {}, heads.map((text) => make("th", { scope: "col" }, text)), make("th", { scope: "col", className: "number" }, say("panel.headroom_gib")))), make("tbody", {}, rows))),
  );
}

function errorPart(i) {
  const { code, message, field, hint } = details.head.error[details.arrays.error[i]];
  const told = [
    [say("panel.message"), make("span", { lang: "en" }, message)],
    [say("panel.field"), field === null ? null : make("code", {}, field)],
    [say("panel.hint"), hint === null ? null : make("span", { lang: "en" }, hint)],
  ];
  return make("section", { className: "refused" }, make("h3", {}, capital(say(`error.${code}`)), " ", make("code", {}, code)), facts(told));
}

const facts = (told) => make("dl", {}, told.filter(([, value]) => value !== null).map(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));

function weighedParts(i) {
  if (!details) return make("p", {}, say("loading"));
  return [memoryPart(i), answerPart(i), findingsPart(i), offersPart(i), elsewherePart(i)];
}

const TERMS = ["weights", "kv_cache", "activation", "overhead"];
const detail = (name, i) => details.figures[name][i];
const told = (name, i) => details.head[name][details.arrays[name][i]];

function memoryPart(i) {
  const [usable, needed, headroom] = [table.usable[i], table.needed[i], table.headroom[i]];
  const evidence = told("evidence", i);
  const rest = headroom < 0 ? "missing" : "headroom";
  const row = (name, bytes, rests, className = "") =>
    make("tr", { className }, make("th", { scope: "row" }, make("i", { className: "swatch", data: { term: name } }), capital(say(`term.${name}`))), make("td", { className: "number" }, gib(bytes)), make("td", { className: "number" }, usable > 0 ? numbers.percent.format(bytes / usable) : "–"), make("td", {}, rests ? say(`evidence.${rests}`) : ""));
  return part(
    say("panel.memory"),
    memoryBar(i, rest),
    make(
      "table",
      { className: "terms" },
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, say("panel.term")), make("th", { scope: "col", className: "number" }, "GiB"), make("th", { scope: "col", className: "number" }, say("panel.share")), make("th", { scope: "col" }, say("panel.rests_on")))),
      make("tbody", {}, TERMS.map((name) => row(name, table.terms[name][i], evidence[name])), row("needed", needed, null, "sum"), row("usable", usable, evidence.usable), row(rest, Math.abs(headroom), null, "sum")),
    ),
    facts([
      [say("panel.range"), say("panel.range_of", { low: gib(detail("low_bytes", i)), high: gib(detail("high_bytes", i)) })],
      [say("panel.outside"), outsideText(i)],
    ]),
  );
}

function outsideText(i) {
  if (Number.isNaN(detail("outside_needed_bytes", i))) return null;
  const words = Object.fromEntries(["needed", "low", "high", "room"].map((name) => [name, gib(detail(`outside_${name}_bytes`, i))]));
  return say("panel.outside_of", words);
}

/** The terms side by side, to scale, with a line where usable memory ends. */
function memoryBar(i, rest) {
  const [usable, needed] = [table.usable[i], table.needed[i]];
  const longest = Math.max(usable, needed, 1);
  const spoken = listed(TERMS.map((name) => `${say(`term.${name}`)} ${gib(table.terms[name][i])} GiB`));
  const bar = make("div", { className: "stack", role: "img", aria: { label: say("panel.bar", { terms: spoken, rest: `${say(`term.${rest}`)} ${gib(Math.abs(table.headroom[i]))} GiB` }) } });
  let from = 0;
  const add = (name, bytes) => {
    const piece = make("span", { data: { term: name } });
    piece.style.left = percent(from / longest);
    piece.style.width = percent(bytes / longest);
    from += bytes;
    bar.append(piece);
  };
  for (const name of TERMS) add(name, table.terms[name][i]);
  if (needed <= usable) add("headroom", usable - needed);
  else {
    from = usable;
    add("missing", needed - usable);
  }
  const end = make("span", { className: "end" });
  end.style.left = percent(usable / longest);
  bar.append(end);
  return bar;
}

function answerPart(i) {
  const deployment = told("deployment", i);
  const support = table.head.supports[table.support[i]];
  const fewest = detail("fewest_gpus", i);
  const longest = detail("longest_max_model_len", i);
  const names = { weights: say("term.weights"), kv_cache: say("term.kv_cache"), engine: say("subject.engine") };
  const levels = SUBJECTS.map((subject) =>
    make("li", {}, say("panel.subject", { name: capital(names[subject]) }), make("b", {}, levelText(support[subject])), " ", make("code", {}, support[subject].rule)),
  );
  const settings = Object.entries(deployment).filter(([name, value]) => !["gpu", "gpu_count", "gpu_memory_bytes", "engine", "engine_version"].includes(name) && value !== null);
  return part(
    say("panel.support"),
    make("ul", { className: "levels" }, levels),
    facts([
      [say("panel.fewest"), Number.isNaN(fewest) ? say("panel.none") : whole(fewest)],
      [say("panel.sequences"), Number.isNaN(table.concurrency[i]) ? null : sequences(table.concurrency[i])],
      [say("panel.longest"), Number.isNaN(longest) ? null : say("panel.tokens", { count: whole(longest) })],
      [say("panel.engine"), `${deployment.engine} ${deployment.engine_version}`],
    ]),
    make("details", {}, make("summary", {}, say("panel.settings")), make("dl", { className: "settings" }, settings.map(([name, value]) => [make("dt", {}, make("code", {}, name)), make("dd", {}, String(value))]))),
  );
}

/** A level of support, and what is gained where that is something. */
function levelText({ level, effect }) {
  const named = say(`level.${level}`);
  if (level === "unsupported" || effect === "none") return named;
  return say("panel.level_and_effect", { level: named, effect: has(`effect.${effect}`) ? say(`effect.${effect}`) : effect });
}

const labelled = (name) => say("panel.subject", { name: say(name) });

function findingsPart(i) {
  const found = findingsOf(i);
  const items = found.map(({ rule, level, prefers, source, lang, message }) =>
    make(
      "li",
      { data: { level } },
      make("b", { className: "level" }, capital(say(`finding.${level}`))),
      make("p", { className: "message", lang: TAGS[lang] }, message),
      make("p", { className: "under" }, labelled("panel.rule"), make("code", {}, rule), prefers.length ? [" · ", labelled("panel.prefers"), make("code", {}, prefers.join(", "))] : null, make("br"), labelled("panel.source"), make("span", { lang: "en" }, sourceMark(source))),
    ),
  );
  return part(say("panel.findings"), items.length ? make("ul", { className: "findings" }, items) : make("p", {}, say("panel.no_findings")));
}

/** The fields of nested objects with their dotted paths. */
const leavesOf = (fields, within = "") =>
  Object.entries(fields).flatMap(([name, value]) =>
    value !== null && typeof value === "object" && !Array.isArray(value) ? leavesOf(value, `${within}${name}.`) : [[`${within}${name}`, value]],
  );

function offersPart(i) {
  const offer = told("offers", i);
  if (!offer) return null;
  const one = ({ changes, arguments: spelt, why, verdict, total_bytes: needed, usable_bytes: usable }) =>
    make(
      "li",
      {},
      verdictMark(verdict),
      " ",
      make("b", {}, listed(leavesOf(changes).map(([path, value]) => `${axisName(path)} ${valueName(path, value)}`))),
      spelt.length ? make("code", { className: "under" }, spelt.join(" ")) : null,
      make("span", { className: "under" }, say("list.of", { needed: gib(needed), usable: gib(usable) })),
      why ? make("p", { className: "under", lang: TAGS[offer.locale] }, why) : null,
    );
  return part(
    say("panel.alternatives"),
    offer.alternatives.length ? make("ol", { className: "offers" }, offer.alternatives.map(one)) : null,
    offer.nearest_miss ? [make("p", {}, say("panel.nearest_miss")), make("ul", { className: "offers" }, one(offer.nearest_miss))] : null,
  );
}

const SMALLEST = 5;

/** What the table itself offers: with all else alike, other formats here, and the smallest GPUs elsewhere. */
function elsewherePart(i) {
  const axes = table.axes.filter(({ path }) => path !== "weight_format");
  const isAlike = (other) => axes.every(({ codes }) => codes[other] === codes[i]);
  const [row, column] = [table.row[i], table.column[i]];
  const here = variantsAt(row, column).filter((other) => other !== i && starts(other) && isAlike(other));
  const fitting = [];
  for (let place = 0; place < table.columns.length; place++) {
    const [best] = variantsAt(row, place).filter((other) => VERDICTS[table.verdict[other]] === "fits" && isAlike(other));
    if (best !== undefined) fitting.push({ place, best });
  }
  fitting.sort((a, b) => table.columns[a.place].together - table.columns[b.place].together || compareCells(table, a.best, b.best));
  const room = (other) => `${gibSignedHundredths(table.headroom[other])} GiB`;
  return [
    here.length ? part(say("panel.other_formats"), make("ul", { className: "elsewhere" }, here.map((other) => make("li", {}, verdictMark(VERDICTS[table.verdict[other]]), make("span", {}, formatShown(other)), make("span", { className: "number" }, room(other)))))) : null,
    part(
      say("panel.smallest"),
      fitting.length
        ? make("ul", { className: "elsewhere" }, fitting.slice(0, SMALLEST).map(({ place, best }) => make("li", {}, make("button", { type: "button", className: "entry", on: { click: () => openPanel(row, place, document.querySelector(`[data-open="${row},${place}"]`)) } }, table.columns[place].label), make("span", {}, formatShown(best)), make("span", { className: "number" }, room(best)))))
        : make("p", {}, say("panel.smallest_none")),
    ),
  ];
}

async function readDetails() {
  const { head, arrays } = await readBlock("panel-data");
  const names = ["low_bytes", "high_bytes", "outside_low_bytes", "outside_needed_bytes", "outside_high_bytes", "outside_room_bytes", "fewest_gpus", "longest_max_model_len"];
  head.offers = head.offers.map((text) => JSON.parse(text));
  details = { head, arrays, figures: Object.fromEntries(names.map((name) => [name, figures(arrays, name)])) };
  if (state.open) drawPanel();
}
