// The panel on one pair of model and GPU: its variants, and all that is known of the one chosen.

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
      make(
        "div",
        {},
        make(
          "h2",
          { id: "panel-title", aria: { label: say("panel.label", { model: model.label, gpu: gpu.label }) } },
          model.label,
        ),
        make("p", {}, about.filter(Boolean).join(" · ")),
      ),
      make(
        "button",
        { type: "button", className: "close", aria: { label: say("panel.close") }, on: { click: closePanel } },
        make("span", { aria: { hidden: "true" } }, "✕"),
      ),
    ),
    i === undefined
      ? make("p", {}, verdictMark("not_asked"))
      : [variantTable(variants, i), table.verdict[i] === VERDICTS.indexOf("error") ? errorPart(i) : weighedParts(i)],
    make(
      "footer",
      {},
      make(
        "button",
        {
          type: "button",
          className: "plain",
          on: { click: () => change({ view: "model", model: row, open: null }, byId("view")) },
        },
        say("panel.to_model"),
      ),
      make(
        "button",
        {
          type: "button",
          className: "plain",
          on: { click: () => change({ view: "gpu", gpu: column, open: null }, byId("view")) },
        },
        say("panel.to_gpu"),
      ),
    ),
  );
}

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
      make(
        "th",
        { scope: "row" },
        make(
          "button",
          {
            type: "button",
            className: "entry",
            aria: { pressed: String(i === picked) },
            on: { click: () => choosePick(place) },
          },
          formatShown(i),
        ),
        left,
      ),
      axes.map((axis) => make("td", {}, axisValueName(axis, i))),
      make("td", {}, verdictMark(VERDICTS[table.verdict[i]])),
      make("td", {}, weighed ? say(`level.${levelOf(i)}`) : "–"),
      make("td", { className: "number" }, weighed ? gibSignedHundredths(table.headroom[i]) : "–"),
    );
  });
  const heads = [
    say("axis.weight_format"),
    ...axes.map(({ path }) => axisName(path)),
    say("list.verdict"),
    say("list.support"),
  ];
  return part(
    say("panel.variants"),
    make(
      "div",
      { className: "wide" },
      make(
        "table",
        {},
        make(
          "thead",
          {},
          make(
            "tr",
            {},
            heads.map((text) => make("th", { scope: "col" }, text)),
            make("th", { scope: "col", className: "number" }, say("panel.headroom_gib")),
          ),
        ),
        make("tbody", {}, rows),
      ),
    ),
  );
}

function errorPart(i) {
  const { code, message, field, hint } = details.head.error[details.arrays.error[i]];
  const told = [
    [say("panel.message"), make("span", { lang: "en" }, message)],
    [say("panel.field"), field === null ? null : make("code", {}, field)],
    [say("panel.hint"), hint === null ? null : make("span", { lang: "en" }, hint)],
  ];
  return make(
    "section",
    { className: "refused" },
    make("h3", {}, capital(say(`error.${code}`)), " ", make("code", {}, code)),
    facts(told),
  );
}

function weighedParts(i) {
  if (!details) return make("p", {}, say("loading"));
  return [memoryPart(i), answerPart(i), findingsPart(i), offersPart(i), elsewherePart(i)];
}
