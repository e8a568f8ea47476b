// SPDX-License-Identifier: Apache-2.0
// Where the nodes of a graph stand, left to right. Only names and edges decide it, in sorted order, so figures never move
// a node and the same graph looks the same to everyone.
import dagre from '@dagrejs/dagre';

export interface Size {
  width: number;
  height: number;
}

/** Equal for equal graphs, whatever order they come in. */
export function shapeOf(names: string[], edges: [string, string][]): string {
  return [...new Set(names)].sort().join('\n') + '\n\n' + [...new Set(edges.map(([from, to]) => `${from}\t${to}`))].sort().join('\n');
}

export interface Point {
  x: number;
  y: number;
}
export interface Layout {
  /** The upper left corner of each node. */
  nodes: Map<string, Point>;
  /** Where an edge passes the columns between its ends, by "from>to". */
  ways: Map<string, Point[]>;
}

export const wayOf = (from: string, to: string) => `${from}>${to}`;

export function place(shape: string, size: Size): Layout {
  const [names, edges] = shape.split('\n\n');
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 28, ranksep: 88, marginx: 16, marginy: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const name of names!.split('\n').filter(Boolean)) graph.setNode(name, { ...size });
  for (const edge of (edges ?? '').split('\n').filter(Boolean)) {
    const [from, to] = edge.split('\t');
    if (graph.hasNode(from!) && graph.hasNode(to!)) graph.setEdge(from!, to!);
  }
  dagre.layout(graph);
  const nodes = new Map(graph.nodes().map((name) => {
    const at = graph.node(name);
    return [name, { x: at.x - size.width / 2, y: at.y - size.height / 2 }];
  }));
  // Every second inner point stands in a column of nodes; the others stand between columns.
  const ways = new Map(graph.edges().map(({ v, w }) => [wayOf(v, w),
    (graph.edge(v, w).points as Point[]).slice(1, -1).filter((_, i) => i % 2 === 1)]));
  return { nodes, ways };
}

/** A line that is level where it leaves, passes columns and arrives; `lane` shifts one of several side by side. */
export function wayPath(from: Point, to: Point, way: Point[], size: Size, lane = 0): string {
  if (to.x < from.x) {
    // Against the direction of the rest: around the lower edge of both ends.
    const under = Math.max(from.y, to.y) + size.height / 2 + 14 + lane;
    return `M${from.x} ${from.y}C${from.x + 40} ${from.y} ${from.x + 40} ${under} ${from.x} ${under}H${to.x}C${to.x - 40} ${under} ${to.x - 40} ${to.y} ${to.x} ${to.y}`;
  }
  let [x, y] = [from.x, from.y + lane];
  let path = `M${x} ${y}`;
  const reach = (toX: number, toY: number) => {
    const bend = (x + toX) / 2;
    path += `C${bend} ${y} ${bend} ${toY} ${toX} ${toY}`;
    [x, y] = [toX, toY];
  };
  for (const point of way) {
    reach(point.x - size.width / 2, point.y + lane);
    x = point.x + size.width / 2;
    path += `H${x}`;
  }
  reach(to.x, to.y + lane);
  return path;
}
