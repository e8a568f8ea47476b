// SPDX-License-Identifier: Apache-2.0
// A graph of nodes and edges over React Flow: what the map and the pipelines share. It places, fits, selects and opens;
// how a node or an edge looks is its page's business.
import { Controls, ReactFlow, type Edge, type EdgeTypes, type Node, type NodeTypes, type ReactFlowInstance } from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { shownTheme, subscribeTheme } from '../theme/theme';
import css from './flow.module.css';
import { place, shapeOf, wayOf, wayPath, type Point, type Size } from './layout';

const fit = { padding: 0.06, maxZoom: 1 };

export interface FlowNode<Data> {
  id: string;
  label: string;
  data: Data;
}
export interface FlowEdge<Data> extends FlowNode<Data> {
  from: string;
  to: string;
}

/** The path of an edge that `edgeTypes.edge` draws. */
export function flowPath(props: { sourceX: number; sourceY: number; targetX: number; targetY: number; data?: object }, size: Size, lane = 0): string {
  const way = (props.data as { way?: Point[] } | undefined)?.way ?? [];
  return wayPath({ x: props.sourceX, y: props.sourceY }, { x: props.targetX, y: props.targetY }, way, size, lane);
}

interface Props<NodeData, EdgeData> {
  nodes: FlowNode<NodeData>[];
  edges: FlowEdge<EdgeData>[];
  size: Size;
  nodeTypes: NodeTypes;
  edgeTypes: EdgeTypes;
  selected: string | null;
  select: (id: string | null) => void;
  open?: (id: string) => void;
}

/** `nodeTypes.node` and `edgeTypes.edge` draw; they must not be made anew at each call. */
export function Flow<NodeData extends object, EdgeData extends object>({ nodes, edges, size, nodeTypes, edgeTypes, selected, select, open }: Props<NodeData, EdgeData>) {
  const theme = useSyncExternalStore(subscribeTheme, shownTheme);
  const shape = shapeOf(nodes.map((n) => n.id), edges.map((e) => [e.from, e.to]));
  const flow = useRef<ReactFlowInstance | null>(null);
  const frame = useRef<HTMLDivElement>(null);
  const at = useMemo(() => place(shape, size), [shape]);
  // The panel takes room and its edge moves: the graph fits itself anew, but only after a double click had time to land.
  useEffect(() => {
    let timer: number | undefined;
    let before = frame.current!.clientWidth;
    const watch = new ResizeObserver(([entry]) => {
      if (Math.abs(entry!.contentRect.width - before) < 1) return;
      before = entry!.contentRect.width;
      clearTimeout(timer);
      timer = window.setTimeout(() => void flow.current?.fitView(fit), 400);
    });
    watch.observe(frame.current!);
    return () => {
      clearTimeout(timer);
      watch.disconnect();
    };
  }, []);
  const shownNodes: Node[] = nodes.toSorted((a, b) => {
    const [p, q] = [at.nodes.get(a.id)!, at.nodes.get(b.id)!];
    return p.x - q.x || p.y - q.y;
  }).map((node) => ({
    id: node.id, type: 'node', position: at.nodes.get(node.id) ?? { x: 0, y: 0 }, ...size, data: { ...node.data, chosen: selected === node.id },
    draggable: false, connectable: false, ariaLabel: node.label }));
  const shownEdges: Edge[] = edges.map((edge) => (
    { id: edge.id, source: edge.from, target: edge.to, type: 'edge', data: { ...edge.data, chosen: selected === edge.id, way: at.ways.get(wayOf(edge.from, edge.to)) }, ariaLabel: edge.label }));
  return (
    <div ref={frame} className={css.canvas}>
      <ReactFlow key={shape} nodes={shownNodes} edges={shownEdges} nodeTypes={nodeTypes} edgeTypes={edgeTypes} colorMode={theme} fitView
        fitViewOptions={fit} onInit={(instance) => { flow.current = instance; }} minZoom={0.2} maxZoom={1.5} nodesConnectable={false} nodesDraggable={false} zoomOnDoubleClick={false}
        onNodeClick={(_, node) => select(node.id)} onNodeDoubleClick={(_, node) => open?.(node.id)} onEdgeClick={(_, edge) => select(edge.id)} onPaneClick={() => select(null)}
        onKeyDown={(event) => {
          const id = (event.target as HTMLElement).closest<HTMLElement>('[data-id]')?.dataset.id;
          if (!id || (event.key !== 'Enter' && event.key !== ' ')) return;
          event.preventDefault();
          event.stopPropagation();
          if (event.shiftKey) open?.(id);
          else select(id);
        }}>
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  );
}
