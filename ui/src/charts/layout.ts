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

export function place(shape: string, size: Size): Map<string, { x: number; y: number }> {
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
  return new Map(graph.nodes().map((name) => {
    const at = graph.node(name);
    return [name, { x: at.x - size.width / 2, y: at.y - size.height / 2 }];
  }));
}
