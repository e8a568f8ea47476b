// SPDX-License-Identifier: Apache-2.0
// The drawn map over React Flow: a ring whose red part is the error share, edges as wide as the log of their rate.
import { BaseEdge, Controls, getBezierPath, Handle, Position, ReactFlow, type Edge, type EdgeProps, type Node, type NodeProps, type ReactFlowInstance } from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import type { MapEdge, MapNode } from '../../api/types';
import { duration, inTrouble, rate, share } from '../../parts/format';
import { languageMark } from '../../parts/marks';
import { shownTheme, subscribeTheme } from '../../theme/theme';
import { place, shapeOf } from './layout';
import css from './map.module.css';

type ServiceNode = Node<{ service: MapNode; chosen: boolean }, 'service'>;
type CallEdge = Edge<{ call: MapEdge; chosen: boolean }, 'call'>;

function ServiceMark({ data: { service, chosen } }: NodeProps<ServiceNode>) {
  const around = 2 * Math.PI * 15;
  const red = Math.min(1, service.error_share ?? 0);
  const [mark, language] = languageMark(service.kind === 'external' ? 'external' : service.language);
  return (
    <div className={`${css.node} ${service.kind === 'external' ? css.external : ''}`} data-selected={chosen} title={`${service.name}, ${language}`}>
      <Handle type="target" position={Position.Left} className={css.handle} isConnectable={false} />
      <svg className={css.ring} width="36" height="36" viewBox="0 0 36 36" aria-hidden="true">
        <circle cx="18" cy="18" r="15" stroke="var(--line-strong)" />
        {red > 0 && <circle cx="18" cy="18" r="15" stroke="var(--error)" transform="rotate(-90 18 18)" strokeDasharray={`${Math.max(5, red * around)} ${around}`} />}
        <text x="18" y="18">{mark}</text>
      </svg>
      <span className={css.nodeText}>
        <span className={css.nodeName}>{service.name}</span>
        <span className={css.nodeFigures}>{service.rate === 0 ? 'only calls' : `${rate(service.rate)} · ${duration(service.p95)}`}</span>
      </span>
      <Handle type="source" position={Position.Right} className={css.handle} isConnectable={false} />
    </div>
  );
}

function CallLine(props: EdgeProps<CallEdge>) {
  const { call, chosen } = props.data!;
  const [path] = getBezierPath(props);
  const width = 1 + Math.min(5, Math.log2(1 + (call.rate ?? 0)));
  const red = Math.min(1, call.error_share ?? 0);
  // The red part stands at the callee, where edges do not cover each other, and is never too short to see.
  const length = Math.max(14, red * 100);
  return (
    <g>
      <title>{`${call.client} → ${call.server}: ${call.protocol}, ${rate(call.rate)}, ${share(call.error_share)} errors, p95 ${duration(call.p95)}`}</title>
      <BaseEdge id={props.id} path={path} interactionWidth={20} style={{ stroke: chosen ? 'var(--accent)' : 'var(--edge)', strokeWidth: width }} markerEnd={props.markerEnd} />
      {inTrouble(call) && <path d={path} pathLength={100} fill="none" stroke="var(--error)" strokeWidth={width} strokeDasharray={`${length} 100`} strokeDashoffset={length - 100} />}
    </g>
  );
}

const fit = { padding: 0.06, maxZoom: 1 };
const nodeTypes = { service: ServiceMark };
const edgeTypes = { call: CallLine };

interface Props {
  nodes: MapNode[];
  edges: MapEdge[];
  selected: string | null;
  select: (id: string | null) => void;
  open: (name: string) => void;
}

export function Graph({ nodes, edges, selected, select, open }: Props) {
  const theme = useSyncExternalStore(subscribeTheme, shownTheme);
  const shape = shapeOf(nodes, edges);
  const flow = useRef<ReactFlowInstance<ServiceNode, CallEdge> | null>(null);
  // The panel takes room: the map fits itself anew, but only after a double click has had its time to land.
  const narrow = selected !== null;
  useEffect(() => {
    const timer = setTimeout(() => void flow.current?.fitView(fit), 400);
    return () => clearTimeout(timer);
  }, [narrow]);
  const at = useMemo(() => place(shape), [shape]);
  const shownNodes: ServiceNode[] = nodes.toSorted((a, b) => {
    const [p, q] = [at.get(a.name)!, at.get(b.name)!];
    return p.x - q.x || p.y - q.y;
  }).map((service) => ({
    id: service.name, type: 'service', position: at.get(service.name) ?? { x: 0, y: 0 }, width: 176, height: 56,
    data: { service, chosen: selected === service.name }, draggable: false, connectable: false,
    ariaLabel: `${service.name}: ${rate(service.rate)}, ${share(service.error_share)} errors, p95 ${duration(service.p95)}`,
  }));
  const shownEdges: CallEdge[] = edges.map((call) => {
    const id = `${call.client}>${call.server}`;
    return { id, source: call.client, target: call.server, type: 'call', data: { call, chosen: selected === id },
      ariaLabel: `${call.client} calls ${call.server}: ${rate(call.rate)}, ${share(call.error_share)} errors` };
  });
  return (
    <ReactFlow key={shape} nodes={shownNodes} edges={shownEdges} nodeTypes={nodeTypes} edgeTypes={edgeTypes} colorMode={theme} fitView
      fitViewOptions={fit} onInit={(instance) => { flow.current = instance; }} minZoom={0.2} maxZoom={1.5} nodesConnectable={false} nodesDraggable={false} zoomOnDoubleClick={false}
      onNodeClick={(_, node) => select(node.id)} onNodeDoubleClick={(_, node) => open(node.id)} onEdgeClick={(_, edge) => select(edge.id)} onPaneClick={() => select(null)}
      onKeyDown={(event) => {
        const id = (event.target as HTMLElement).closest<HTMLElement>('[data-id]')?.dataset.id;
        if (id && event.key === 'Enter') {
          event.stopPropagation();
          if (event.shiftKey) open(id);
          else select(id);
        }
      }}>
      <Controls showInteractive={false} />
    </ReactFlow>
  );
}
