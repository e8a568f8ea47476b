// SPDX-License-Identifier: Apache-2.0
// Where the nodes stand. Only names and calls decide it, in sorted order, so figures never move a node and the same
// map looks the same to everyone.
import dagre from '@dagrejs/dagre';
import type { MapEdge, MapNode } from '../../api/types';

export const nodeWidth = 176;
export const nodeHeight = 56;

export function shapeOf(nodes: MapNode[], edges: MapEdge[]): string {
  return [...nodes.map((n) => n.name).sort(), '', ...edges.map((e) => `${e.client}>${e.server}`).sort()].join('\n');
}

export function place(shape: string): Map<string, { x: number; y: number }> {
  const [names, calls] = shape.split('\n\n');
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 28, ranksep: 88, marginx: 16, marginy: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const name of names!.split('\n').filter(Boolean)) graph.setNode(name, { width: nodeWidth, height: nodeHeight });
  for (const call of (calls ?? '').split('\n').filter(Boolean)) {
    const [client, server] = call.split('>');
    if (graph.hasNode(client!) && graph.hasNode(server!)) graph.setEdge(client!, server!);
  }
  dagre.layout(graph);
  return new Map(graph.nodes().map((name) => {
    const at = graph.node(name);
    return [name, { x: at.x - nodeWidth / 2, y: at.y - nodeHeight / 2 }];
  }));
}

/** One service and one hop each way. */
export function around(name: string, nodes: MapNode[], edges: MapEdge[]) {
  const near = new Set([name]);
  for (const edge of edges) {
    if (edge.client === name) near.add(edge.server);
    if (edge.server === name) near.add(edge.client);
  }
  return { nodes: nodes.filter((n) => near.has(n.name)), edges: edges.filter((e) => e.client === name || e.server === name) };
}
