// Draws lines over logarithmic axes, as an SVG that shows on light and dark pages.
const COLORS = ['#2563eb', '#dc2626', '#16a34a', '#9333ea'];
const WIDTH = 420;
const HEIGHT = 300;
const BOX = { left: 60, right: 90, top: 52, bottom: 45 };

export function drawPlot({ across, panels }) {
  const width = WIDTH * panels.length;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${panels.map(({ title }) => title).join('; ')}</title>`,
    `<rect width="${width}" height="${HEIGHT}" fill="#fff"/>`,
    ...panels.map((panel, at) => `<g transform="translate(${at * WIDTH} 0)">\n${drawPanel(panel, across)}\n</g>`),
    '</svg>\n',
  ].join('\n');
}

function drawPanel({ title, unit, series }, across) {
  const points = series.flatMap((one) => one.points).filter(([, y]) => y > 0);
  const x = scale(
    points.map(([value]) => value),
    BOX.left,
    WIDTH - BOX.right,
  );
  const y = scale(
    points.map(([, value]) => value),
    HEIGHT - BOX.bottom,
    BOX.top,
  );
  const bottom = HEIGHT - BOX.bottom;
  return [
    `<text x="${WIDTH / 2}" y="20" text-anchor="middle" font-weight="bold">${title}</text>`,
    ...x.ticks.map(
      (tick) =>
        `<line x1="${x.at(tick)}" x2="${x.at(tick)}" y1="${BOX.top}" y2="${bottom}" stroke="#ddd"/>` +
        `<text x="${x.at(tick)}" y="${bottom + 16}" text-anchor="middle">${tick.toLocaleString('en')}</text>`,
    ),
    ...y.ticks.map(
      (tick) =>
        `<line x1="${BOX.left}" x2="${WIDTH - BOX.right}" y1="${y.at(tick)}" y2="${y.at(tick)}" stroke="#ddd"/>` +
        `<text x="${BOX.left - 6}" y="${y.at(tick) + 4}" text-anchor="end">${tick.toLocaleString('en')}</text>`,
    ),
    `<text x="${(BOX.left + WIDTH - BOX.right) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${across}</text>`,
    `<text x="${BOX.left - 6}" y="${BOX.top - 14}" text-anchor="end">${unit}</text>`,
    ...series.map((one, at) => drawLine(one, COLORS[at % COLORS.length], x, y)),
    ...drawLabels(series, y),
  ].join('\n');
}

function drawLine({ points }, color, x, y) {
  const places = points.filter(([, value]) => value > 0).map(([one, value]) => [x.at(one), y.at(value)]);
  const dots = places.map(([left, top]) => `<circle cx="${left}" cy="${top}" r="3" fill="${color}"/>`);
  const line = places.map((place) => place.join(',')).join(' ');
  return `<polyline points="${line}" fill="none" stroke="${color}" stroke-width="2"/>${dots.join('')}`;
}

/** Names stand at the ends of lines, apart from each other, and none so low that it meets the numbers below. */
function drawLabels(series, y) {
  const wanted = series.flatMap(({ label, points }, at) =>
    points.some(([, value]) => value > 0) ? [{ label, at, top: y.at(Math.max(points.at(-1)[1], y.least)) }] : [],
  );
  const sorted = wanted.toSorted((a, b) => a.top - b.top);
  let above = -Infinity;
  return sorted.map(({ label, at, top }, place) => {
    const lowest = HEIGHT - BOX.bottom - 14 * (sorted.length - 1 - place);
    above = Math.max(Math.min(top + 4, lowest), above + 14);
    return `<text x="${WIDTH - BOX.right + 8}" y="${above}" fill="${COLORS[at % COLORS.length]}">${label}</text>`;
  });
}

/** Powers of ten, or of two where that is all there is. */
function scale(values, from, to) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const base = high / low > 100 ? 10 : 2;
  const power = (value) => Math.log(value) / Math.log(base);
  const first = Math.floor(power(low) + 1e-9);
  const last = Math.max(Math.ceil(power(high) - 1e-9), first + 1);
  const ticks = Array.from({ length: last - first + 1 }, (_, at) => Number((base ** (first + at)).toPrecision(4)));
  const at = (value) => Math.round((from + ((power(value) - first) / (last - first)) * (to - from)) * 10) / 10;
  return { ticks, at, least: base ** first };
}
