// The view on paper: all of it, in tables that fit a sheet, made when it is printed.

const ON_A_SHEET = 12; // columns of the matrix side by side

function drawPaper() {
  restOfList(Infinity);
  const filters = table.filters
    .filter(({ name }) => chosen(name).length)
    .map(
      ({ name, options }) =>
        `${axisName(name)} = ${options
          .filter(({ value }) => chosen(name).includes(value))
          .map((option) => optionName(name, option))
          .join(" | ")}`,
    );
  if (state.query) filters.unshift(`“${state.query}”`);
  const legend = listed(VERDICTS.map((verdict) => `${SYMBOLS[verdict]} ${say(`verdict.${verdict}`)}`));
  fill(
    byId("paper"),
    make("p", {}, filters.length ? say("print.filters", { filters: listed(filters) }) : say("print.unfiltered")),
    make("p", {}, say("print.legend", { legend })),
    state.view === "matrix" ? [make("p", {}, say("how.best"), " ", say("how.headroom")), paperMatrix()] : null,
  );
}

function optionName(name, { value, text, meant }) {
  if (name === "verdict") return say(`verdict.${value}`);
  return text === null ? say("filter.unknown") : (text ?? valueName(name, meant));
}

function paperMatrix() {
  const { rows, columns, best } = selection;
  const sheets = [];
  for (let from = 0; from < columns.length; from += ON_A_SHEET) sheets.push(columns.slice(from, from + ON_A_SHEET));
  return sheets.map((side) =>
    make(
      "table",
      {},
      make(
        "thead",
        {},
        make(
          "tr",
          {},
          make("th", { scope: "col" }, say("matrix.corner")),
          side.map((column) => make("th", { scope: "col" }, table.columns[column].label)),
        ),
      ),
      make(
        "tbody",
        {},
        rows.map((row) =>
          make(
            "tr",
            {},
            make("th", { scope: "row" }, table.rows[row].label),
            side.map((column) => paperCell(best[pairAt(table, row, column)])),
          ),
        ),
      ),
    ),
  );
}

function paperCell(i) {
  if (i === NONE) return make("td", {}, SYMBOLS.not_asked);
  const verdict = VERDICTS[table.verdict[i]];
  return make(
    "td",
    {},
    verdict === "error" ? SYMBOLS.error : `${SYMBOLS[verdict]} ${formatShown(i)} ${gibSigned(table.headroom[i])}`,
  );
}

const clearPaper = () => fill(byId("paper"));

// A browser tells of printing by either, and some only by one of them.
window.addEventListener("beforeprint", () => table && drawPaper());
window.addEventListener("afterprint", clearPaper);
matchMedia("print").addEventListener("change", ({ matches }) => (matches && table ? drawPaper() : clearPaper()));
