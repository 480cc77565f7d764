// Moving in the matrix, and opening what is there.

const cellElement = ([row, column]) => matrix.scroller?.querySelector(`[data-row="${row}"][data-column="${column}"]`);

function placeOf(event) {
  const cell = event.target.closest("[data-row]");
  return cell ? [Number(cell.dataset.row), Number(cell.dataset.column)] : null;
}

function activate([row, column]) {
  if (row === HEADS) change({ view: "gpu", gpu: selection.columns[column] }, byId("view"));
  else if (column === HEADS) change({ view: "model", model: selection.rows[row] }, byId("view"));
  else openPanel(selection.rows[row], selection.columns[column]);
}

function onMatrixClick(event) {
  const place = placeOf(event);
  if (!place) return;
  moveTo(place);
  activate(place);
}

function onMatrixFocus(event) {
  const place = placeOf(event);
  if (place && place.join() !== matrix.cursor.join()) setCursor(place);
}

function onMatrixKey(event) {
  const [row, column] = matrix.cursor;
  const [lastRow, lastColumn] = [selection.rows.length - 1, selection.columns.length - 1];
  const page = Math.max(1, Math.floor((matrix.height - SIZE.head) / SIZE.row) - 1);
  const far = event.ctrlKey || event.metaKey;
  const to = {
    ArrowUp: [row - 1, column],
    ArrowDown: [row + 1, column],
    ArrowLeft: [row, column - 1],
    ArrowRight: [row, column + 1],
    PageUp: [Math.max(Math.min(row, 0), row - page), column],
    PageDown: [row + page, column],
    Home: [far ? 0 : row, 0],
    End: [far ? lastRow : row, lastColumn],
  }[event.key];
  if (to) {
    event.preventDefault();
    const within = [Math.min(Math.max(to[0], HEADS), lastRow), Math.min(Math.max(to[1], HEADS), lastColumn)];
    // No cell stands where the heads meet.
    if (within[0] !== HEADS || within[1] !== HEADS) moveTo(within);
  } else if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    activate(matrix.cursor);
  }
}

function setCursor(place) {
  const before = cellElement(matrix.cursor);
  if (before) before.tabIndex = -1;
  matrix.cursor = place;
  const now = cellElement(place);
  if (now) now.tabIndex = 0;
}

/** Scrolls as little as it takes to see a place. */
function bringInSight([row, column]) {
  const top = row * SIZE.row;
  const left = column * matrix.column;
  const height = matrix.height - SIZE.head;
  const width = matrix.width - matrix.side;
  if (row >= 0) matrix.top = Math.min(top, Math.max(matrix.top, top + SIZE.row - height));
  if (column >= 0) matrix.left = Math.min(left, Math.max(matrix.left, left + matrix.column - width));
  drawInSight();
  matrix.scroller.scrollTo(matrix.left, matrix.top);
}

/** Puts cursor and focus on a place, and the place in sight. */
function moveTo(place) {
  setCursor(place);
  bringInSight(place);
  cellElement(place)?.focus({ preventScroll: true });
}

/** Puts the cursor on the cell whose panel is open, and the cell in the sight that the panel leaves. */
function showOpenCell() {
  if (!state.open || state.view !== "matrix" || !matrix.scroller) return;
  const place = [selection.rows.indexOf(state.open[0]), selection.columns.indexOf(state.open[1])];
  if (place.includes(NONE)) return;
  measureRoom();
  drawView();
  setCursor(place);
  bringInSight(place);
}
