// What the overview shows of a table, for an exported site: the same as `View` computes in the program.

const LETTERS = ["A", "B", "C", "D", "E", "N.A."];
const POINT_LIMIT = 3000;

function range(text) {
  const [low, high] = text.split("~");
  return [low === "" ? -Infinity : Number(low), high === "" ? Infinity : Number(high)];
}

export function view(data, query) {
  const { properties, facets } = data.table;
  const place = (key) => properties.findIndex((property) => property.key === key);
  const x = place(query.get("x") ?? data.table.axes.x);
  const y = place(query.get("y") ?? data.table.axes.y);
  const columns = data.columns;
  const has = (value) => value !== null;

  const tests = [];
  facets.forEach((facet, index) => {
    const wanted = query.getAll(facet.key);
    if (!wanted.length) return;
    const codes = new Set(wanted.map((value) => data.facetValues[index].indexOf(value)));
    tests.push((row) => codes.has(data.facetCodes[index][row]));
  });
  for (const [key, text] of query) {
    if (!key.startsWith("range.")) continue;
    const [low, high] = range(text);
    const column = columns[place(key.slice(6))];
    tests.push((row) => has(column[row]) && column[row] >= low && column[row] <= high);
  }
  const grades = new Set(query.getAll("grade").map((letter) => LETTERS.indexOf(letter)));
  if (grades.size) tests.push((row) => grades.has(data.grades[row]));
  const all = Array.from({ length: data.table.count }, (_, row) => row);
  const shown = all.filter((row) => tests.every((test) => test(row)));

  let chosen = shown;
  if (query.get("brush.x") && query.get("brush.y")) {
    const [x0, x1] = range(query.get("brush.x"));
    const [y0, y1] = range(query.get("brush.y"));
    chosen = shown.filter((row) => has(columns[x][row]) && has(columns[y][row])
      && columns[x][row] >= x0 && columns[x][row] <= x1 && columns[y][row] >= y0 && columns[y][row] <= y1);
  }

  const counts = LETTERS.map(() => 0);
  for (const row of chosen) counts[data.grades[row]] += 1;
  const limit = Math.min(Number(query.get("rows") ?? 100), 1000);
  const best = chosen.toSorted((a, b) => (data.index[b] ?? -Infinity) - (data.index[a] ?? -Infinity) || a - b).slice(0, limit);
  const result = {
    total: data.table.count, shown: shown.length, chosen: chosen.length, x: properties[x].key, y: properties[y].key,
    grades: counts, correlation: correlation(data, chosen), rows: best.map((row) => whole(data, row)),
  };
  if (query.get("part") === "brush") return result;

  const drawn = shown.filter((row) => has(columns[x][row]) && has(columns[y][row]));
  result.drawn = drawn.length;
  result.front = points(data, front(data, drawn, x, y), x, y);
  result.points = points(data, drawn.slice(0, POINT_LIMIT), x, y);
  result.tiles = { x: tiles(data, shown, x), y: tiles(data, shown, y) };
  result.facets = Object.fromEntries(facets.map((facet, index) => {
    const sums = data.facetValues[index].map(() => 0);
    for (const row of shown) sums[data.facetCodes[index][row]] += 1;
    const order = sums.map((_, code) => code).sort((a, b) => sums[b] - sums[a] || a - b).slice(0, 200);
    return [facet.key, order.map((code) => [data.facetValues[index][code], sums[code]])];
  }));
  if (query.get("best") && query.get("given")) {
    result.goal = goal(data, shown, place(query.get("best")), place(query.get("given")), Number(query.get("bound")));
  }
  return result;
}

function whole(data, row) {
  return {
    row, id: data.ids[row], facets: data.facetValues.map((values, index) => values[data.facetCodes[index][row]]),
    values: data.columns.map((column) => column[row]), lows: data.lows.map((column) => column[row]),
    highs: data.highs.map((column) => column[row]),
    grades: data.propertyGrades.map((column) => LETTERS[column[row]]),
    indices: data.propertyIndices.map((column) => column[row]), index: data.index[row],
    chances: data.chances[row] ?? "", grade: LETTERS[data.grades[row]],
    parts: data.parts.map((part) => ({ name: part.name, index: part.index[row], grade: LETTERS[part.grades[row]] })),
  };
}

function points(data, rows, x, y) {
  const column = (values) => rows.map((row) => values[row]);
  const name = (index) => rows.map((row) => data.facetValues[index][data.facetCodes[index][row]]);
  return {
    row: rows, x: column(data.columns[x]), y: column(data.columns[y]), xLow: column(data.lows[x]),
    xHigh: column(data.highs[x]), yLow: column(data.lows[y]), yHigh: column(data.highs[y]), model: name(0),
    environment: name(1), grade: column(data.grades), index: column(data.index),
  };
}

function front(data, rows, x, y) {
  const signX = data.table.properties[x].isMaximized ? -1 : 1;
  const signY = data.table.properties[y].isMaximized ? -1 : 1;
  const [xs, ys] = [data.columns[x], data.columns[y]];
  const order = rows.toSorted((a, b) => signX * (xs[a] - xs[b]) || signY * (ys[a] - ys[b]) || a - b);
  let best = Infinity;
  return order.filter((row) => {
    if (signY * ys[row] >= best) return false;
    best = signY * ys[row];
    return true;
  }).slice(0, POINT_LIMIT);
}

function tiles(data, rows, place) {
  const sign = data.table.properties[place].isMaximized ? -1 : 1;
  const ends = LETTERS.slice(0, 5).map(() => [Infinity, -Infinity]);
  for (const row of rows) {
    const value = data.columns[place][row];
    const end = ends[data.propertyGrades[place][row]];
    if (!end || value === null) continue;
    end[0] = Math.min(end[0], sign * value);
    end[1] = Math.max(end[1], sign * value);
  }
  const limits = [];
  let last = -Infinity;
  for (const [letter, [least, most]] of ends.entries()) {
    if (least > most) continue;
    if (least < last) return null;
    limits.push({ value: last > -Infinity ? sign * (last + least) / 2 : null, grade: LETTERS[letter] });
    last = most;
  }
  return limits;
}

function correlation(data, rows) {
  const used = data.table.properties.map((_, place) => place)
    .filter((place) => rows.some((row) => data.columns[place][row] !== null));
  return {
    keys: used.map((place) => data.table.properties[place].key),
    values: used.map((one) => used.map((other) => pearson(data.columns[one], data.columns[other], rows))),
  };
}

function pearson(a, b, rows) {
  let [count, meanA, meanB, ss, tt, st] = [0, 0, 0, 0, 0, 0];
  for (const row of rows) {
    if (a[row] === null || b[row] === null) continue;
    count += 1;
    const [dx, dy] = [a[row] - meanA, b[row] - meanB];
    meanA += dx / count;
    meanB += dy / count;
    ss += dx * (a[row] - meanA);
    tt += dy * (b[row] - meanB);
    st += dx * (b[row] - meanB);
  }
  return count > 2 && ss > 0 && tt > 0 ? st / Math.sqrt(ss * tt) : null;
}

function goal(data, rows, best, given, bound) {
  const isMore = data.table.properties[given].isMaximized;
  const sign = data.table.properties[best].isMaximized ? -1 : 1;
  const fitting = rows.filter((row) => data.columns[best][row] !== null && data.columns[given][row] !== null
    && (isMore ? data.columns[given][row] >= bound : data.columns[given][row] <= bound));
  if (!fitting.length) return { row: null };
  const found = fitting.reduce((a, b) => sign * (data.columns[best][b] - data.columns[best][a]) < 0 ? b : a);
  return { row: whole(data, found), candidates: fitting.length };
}
