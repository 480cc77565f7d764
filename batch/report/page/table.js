// The table of all cells, and which of them are of one pair of model and GPU.

const VERDICTS = ["fits", "tight", "does_not_fit", "unsupported", "error", "not_asked"];
const NOT_ASKED = 5;
const NONE = -1;

function readTable({ head, arrays }) {
  const cells = head.cells;
  const figure = (name) => figures(arrays, name);
  const usable = figure("usable_bytes");
  const terms = {
    weights: figure("weights_bytes"),
    kv_cache: figure("kv_cache_bytes"),
    activation: figure("activation_bytes"),
    overhead: figure("overhead_bytes"),
  };
  const needed = new Float64Array(cells);
  const headroom = new Float64Array(cells);
  for (let i = 0; i < cells; i++) {
    needed[i] = terms.weights[i] + terms.kv_cache[i] + terms.activation[i] + terms.overhead[i];
    headroom[i] = usable[i] - needed[i];
  }
  const table = {
    head,
    cells,
    rows: head.rows,
    columns: head.columns,
    axes: head.axes.map(({ path, values }) => ({
      path,
      values: values.map((text) => JSON.parse(text)),
      texts: values,
      codes: arrays[`axis:${path}`],
    })),
    row: arrays.row,
    column: arrays.column,
    verdict: arrays.verdict,
    format: arrays.format,
    support: arrays.support,
    level: head.supports.map((support) => worstLevel(support, head.levels)),
    concurrency: figure("max_concurrency"),
    usable,
    terms,
    needed,
    headroom,
  };
  nameAll(table);
  Object.assign(table, pairsOf(table));
  return table;
}

const SUBJECTS = ["weights", "kv_cache", "engine"];

/** The place among `levels` of the worst level of `support`, past the last where there is none. */
function worstLevel(support, levels) {
  return support ? Math.max(...SUBJECTS.map((subject) => levels.indexOf(support[subject].level))) : levels.length;
}

/** Names of rows and columns as they are shown and looked for. */
function nameAll(table) {
  for (const row of table.rows) row.searched = row.label.toLowerCase();
  for (const column of table.columns) {
    const other = column.other ? ` ${column.other}` : "";
    const name = column.gpu || "–";
    column.label = `${column.count === 1 ? "" : `${column.count} × `}${name}${other}`;
    column.searched = column.label.toLowerCase();
    column.together = column.memory_bytes === null ? Infinity : column.memory_bytes * column.count;
  }
}

/** For each pair, row by row, where its cells begin in `cellsOfPairs`. */
function pairsOf({ cells, row, column, rows, columns }) {
  const starts = new Uint32Array(rows.length * columns.length + 1);
  for (let i = 0; i < cells; i++) starts[row[i] * columns.length + column[i] + 1]++;
  for (let pair = 1; pair < starts.length; pair++) starts[pair] += starts[pair - 1];
  const next = starts.slice();
  const cellsOfPairs = new Uint32Array(cells);
  for (let i = 0; i < cells; i++) cellsOfPairs[next[row[i] * columns.length + column[i]]++] = i;
  return { pairStarts: starts, cellsOfPairs };
}

const pairAt = (table, row, column) => row * table.columns.length + column;
const cellsAt = (table, pair) => table.cellsOfPairs.subarray(table.pairStarts[pair], table.pairStarts[pair + 1]);
const starts = (i) => table.verdict[i] <= VERDICTS.indexOf("tight");
const formatName = (table, i) => table.head.formats[table.format[i]]?.name ?? null;
