// SPDX-License-Identifier: Apache-2.0
// How the map draws: a ring whose red part is the error share, edges as wide as the log of their rate.
import { BaseEdge, Handle, Position, type Edge, type EdgeProps, type Node, type NodeProps } from '@xyflow/react';
import type { MapEdge, MapNode } from '../../api/types';
import { Flow, flowPath } from '../../charts/flow';
import css from '../../charts/flow.module.css';
import { duration, inTrouble, rate, share } from '../../parts/format';
import { languageMark } from '../../parts/marks';

type ServiceNode = Node<{ service: MapNode; chosen: boolean }, 'node'>;
type CallEdge = Edge<{ call: MapEdge; chosen: boolean }, 'edge'>;

export const edgeId = (edge: MapEdge) => `${edge.client}>${edge.server}`;

function ServiceMark({ data: { service, chosen } }: NodeProps<ServiceNode>) {
  const around = 2 * Math.PI * 15;
  const red = Math.min(1, service.error_share ?? 0);
  const [mark, language] = languageMark(service.kind === 'external' ? 'external' : service.language);
  return (
    <div className={`${css.node} ${service.kind === 'external' ? css.outside : ''}`} data-selected={chosen} title={`${service.name}, ${language}`}>
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
  const path = flowPath(props, size);
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

const size = { width: 188, height: 56 };
const nodeTypes = { node: ServiceMark };
const edgeTypes = { edge: CallLine };

interface Props {
  nodes: MapNode[];
  edges: MapEdge[];
  selected: string | null;
  select: (id: string | null) => void;
  open: (name: string) => void;
}

export function Graph({ nodes, edges, ...rest }: Props) {
  return (
    <Flow {...rest} size={size} nodeTypes={nodeTypes} edgeTypes={edgeTypes}
      nodes={nodes.map((service) => ({ id: service.name, data: { service },
        label: `${service.name}: ${rate(service.rate)}, ${share(service.error_share)} errors, p95 ${duration(service.p95)}` }))}
      edges={edges.map((call) => ({ id: edgeId(call), from: call.client, to: call.server, data: { call },
        label: `${call.client} calls ${call.server}: ${rate(call.rate)}, ${share(call.error_share)} errors` }))} />
  );
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
