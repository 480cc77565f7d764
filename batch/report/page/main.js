// From the data to the first view, and from each change to the next.

let table = null;
let selection = null;

/** Puts `changes` into the state and draws what follows from them; then `focused` has the focus, if one is given. */
function change(changes, focused = null) {
  Object.assign(state, changes);
  draw(Object.keys(changes).every((name) => name === "open" || name === "pick"));
  focused?.focus();
}

function choose(filter, values) {
  if (values.length) state.chosen[filter] = values;
  else delete state.chosen[filter];
  draw();
}

function reset() {
  Object.assign(state, { query: "", chosen: {} });
  draw();
}

function changeLanguage(chosenLanguage) {
  speak(chosenLanguage);
  drawAll();
  document.querySelector(`button[data-language="${chosenLanguage}"]`).focus();
}

function draw(isPanelOnly = false) {
  if (!isPanelOnly || !selection) {
    selection = select();
    updateTools();
    drawView();
    updateHead();
  } else markOpenCell();
  drawPanel();
  if (state.view === "matrix") drawInSight();
  history.replaceState(null, "", toHash());
}

function drawView() {
  if (state.view === "matrix") drawMatrix(byId("view"));
  else drawList(byId("view"));
}

function markOpenCell() {
  document.querySelector(".cell.open")?.classList.remove("open");
  if (!state.open || state.view !== "matrix") return;
  const place = [selection.rows.indexOf(state.open[0]), selection.columns.indexOf(state.open[1])];
  cellElement(place)?.classList.add("open");
}

function drawAll() {
  openFilter = null;
  drawHead();
  drawTools();
  draw();
}

/** Everything anew from what the address says. */
function start() {
  fromHash(location.hash);
  selection = null;
  drawAll();
}

window.addEventListener("hashchange", start);
window.addEventListener("resize", () => state.view === "matrix" && selection && drawView());

const firstBlock = await readBlock("matrix-data");
texts = firstBlock.head.texts;
table = readTable(firstBlock);
table.grades = gradesOf(table);
table.rowRank = ranksOf(table.rows);
table.columnRank = ranksOf(table.columns);
table.filters = filtersOf(table);
speak(language);
start();
document.body.dataset.ready = "matrix";
// What is in sight is painted before the rest is read.
await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
await readDetails();
document.body.dataset.ready = "all";
