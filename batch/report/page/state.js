// What is looked at and how, which the address after its hash says too.

const VIEWS = ["matrix", "model", "gpu"];
const ROW_ORDERS = ["name", "size"];
const COLUMN_ORDERS = ["generation", "memory", "name"];

const fresh = () => ({
  view: "matrix",
  query: "",
  chosen: {}, // by the name of a filter, the values that are left in; none where all are
  rows: "name",
  columns: "generation",
  model: null, // of the list of GPUs
  gpu: null, // of the list of models
  open: null, // [row, column] of the panel
  pick: null, // place of the panel's variant among those of its pair, the best first
});

const state = fresh();

function chosen(filter) {
  return state.chosen[filter] ?? [];
}

function toHash() {
  const said = new URLSearchParams();
  if (state.view !== "matrix") said.set("view", state.view);
  if (state.query) said.set("q", state.query);
  for (const [filter, values] of Object.entries(state.chosen))
    for (const value of values) said.append(`f.${filter}`, value);
  if (state.rows !== "name") said.set("rows", state.rows);
  if (state.columns !== "generation") said.set("columns", state.columns);
  if (state.view === "model" && state.model !== null) said.set("model", table.rows[state.model].label);
  if (state.view === "gpu" && state.gpu !== null) said.set("gpu", table.columns[state.gpu].label);
  if (state.open) {
    said.set("open", table.rows[state.open[0]].label);
    said.set("on", table.columns[state.open[1]].label);
    if (state.pick) said.set("pick", String(state.pick));
  }
  said.set("lang", language);
  return `#${said}`;
}

/** The state that `hash` says; what it names and the table has not is left out. */
function fromHash(hash) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const one = (name, among) => (among.includes(said.get(name)) ? said.get(name) : among[0]);
  const place = (list, name) => {
    const found = list.findIndex((each) => each.label === said.get(name));
    return found === NONE ? null : found;
  };
  const row = place(table.rows, "open");
  const column = place(table.columns, "on");
  const picked = Number(said.get("pick"));
  Object.assign(state, fresh(), {
    view: one("view", VIEWS),
    query: said.get("q") ?? "",
    rows: one("rows", ROW_ORDERS),
    columns: one("columns", COLUMN_ORDERS),
    model: place(table.rows, "model"),
    gpu: place(table.columns, "gpu"),
    open: row === null || column === null ? null : [row, column],
    pick: Number.isInteger(picked) && picked > 0 ? picked : null,
  });
  for (const { name, options } of filtersOf(table)) {
    const known = said.getAll(`f.${name}`).filter((value) => options.some((option) => option.value === value));
    if (known.length) state.chosen[name] = known;
  }
  if (Object.hasOwn(LANGUAGES, said.get("lang") ?? "")) speak(said.get("lang"));
}
