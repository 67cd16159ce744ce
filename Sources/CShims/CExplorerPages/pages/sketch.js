// A first picture of the scatter, on a canvas in a few milliseconds: it stands until the chart library is ready.

import { color, gradeColor } from "./chart.js";
import { h, number } from "./markup.js";

const SPACE = { left: 64, right: 10, top: 10, bottom: 60 };

/// The picture of a view: cells or points, the front, and values along the axes.
export function sketch(node, view, x, y, isLogX, isLogY) {
  const [width, height] = [node.clientWidth, node.clientHeight];
  const sharp = devicePixelRatio || 1;
  const canvas = h("canvas", { width: Math.round(width * sharp), height: Math.round(height * sharp), style: "width:100%;height:100%" });
  const pen = canvas.getContext("2d");
  pen.scale(sharp, sharp);
  const across = scale(view, "x", isLogX, SPACE.left, width - SPACE.right);
  const up = scale(view, "y", isLogY, height - SPACE.bottom, SPACE.top);
  if (view.grid) cells(pen, view.grid, across, up);
  for (const [index, value] of (view.points?.x ?? []).entries()) {
    const [left, top] = [across.at(value), up.at(view.points.y[index])];
    if (!Number.isFinite(left + top)) continue;
    pen.fillStyle = gradeColor(view.points.grade[index]);
    pen.beginPath();
    pen.arc(left, top, 4.5, 0, 2 * Math.PI);
    pen.fill();
  }
  pen.strokeStyle = color("accent");
  pen.lineWidth = 2;
  pen.setLineDash([8, 6]);
  pen.beginPath();
  view.front.x.forEach((value, index) => pen.lineTo(across.at(value), up.at(view.front.y[index])));
  pen.stroke();
  axes(pen, across, up, x, y, width, height);
  return canvas;
}

/// Where a value stands between two pixels.
function scale(view, key, isLog, from, to) {
  const grid = view.grid;
  const transform = isLog ? Math.log10 : (value) => value;
  const isGridLog = grid && (key === "x" ? grid.isLogX : grid.isLogY);
  const seen = [...(view.points?.[key] ?? []), ...view.front[key]].filter((value) => value !== null).map(transform);
  for (const edge of grid ? [grid[key][0], grid[key].at(-1)] : []) seen.push(transform(isGridLog ? 10 ** edge : edge));
  const values = seen.filter(Number.isFinite);
  const [least, most] = [values.reduce((a, b) => Math.min(a, b), Infinity), values.reduce((a, b) => Math.max(a, b), -Infinity)];
  const room = (most - least) * (grid ? 0 : 0.05) || (most === least ? 1 : 0);
  const [low, high] = [least - room, most + room];
  const place = (value) => from + (to - from) * (value - low) / (high - low);
  return {
    at: (value) => value === null ? NaN : place(transform(value)),
    edge: (edge) => place(isGridLog === isLog ? edge : transform(isGridLog ? 10 ** edge : edge)),
    marks: [0.1, 0.3, 0.5, 0.7, 0.9].map((part) => low + (high - low) * part).map((value) => [place(value), isLog ? 10 ** value : value]),
  };
}

function cells(pen, grid, across, up) {
  const most = Math.log10(grid.counts.reduce((a, line) => line.reduce((b, count) => Math.max(b, count), a), 1)) || 1;
  pen.fillStyle = color("accent");
  grid.counts.forEach((line, row) => line.forEach((count, column) => {
    if (!count) return;
    pen.globalAlpha = 0.15 + 0.85 * Math.log10(count) / most;
    const [left, right] = [across.edge(grid.x[column]), across.edge(grid.x[column + 1])];
    const [bottom, top] = [up.edge(grid.y[row]), up.edge(grid.y[row + 1])];
    pen.fillRect(left, top, right - left, bottom - top);
  }));
  pen.globalAlpha = 1;
}

function axes(pen, across, up, x, y, width, height) {
  pen.fillStyle = color("ink");
  pen.font = "12px system-ui, sans-serif";
  pen.textAlign = "center";
  for (const [place, value] of across.marks) pen.fillText(number(value, x.unit), place, height - SPACE.bottom + 18);
  pen.fillText(x.name, (SPACE.left + width - SPACE.right) / 2, height - SPACE.bottom + 42);
  pen.textAlign = "right";
  for (const [place, value] of up.marks) pen.fillText(number(value, y.unit), SPACE.left - 6, place + 4);
  pen.save();
  pen.translate(11, (height - SPACE.bottom) / 2);
  pen.rotate(-Math.PI / 2);
  pen.textAlign = "center";
  pen.fillText(y.name, 0, 0);
  pen.restore();
}
